import { expect } from 'chai';
import { data, initializers, losses, ops, random, tensor, variable } from 'gradstep';
import * as layers from 'gradstep/layers';

// What people write who come from TensorFlow, Keras, PyTorch or NumPy, and what they are told. The types would refuse most of it.
/* eslint-disable @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-argument, @typescript-eslint/no-unsafe-return, @typescript-eslint/no-explicit-any, @typescript-eslint/no-unsafe-call */
const any = (value: unknown): any => value;

const matrix = tensor([[1, 2, 3], [4, 5, 6]]); // prettier-ignore
const classes = tensor([0, 1], [2], 'int32');
const images = ops.ones([2, 8, 6, 3]);
const sequences = ops.ones([2, 4, 5]);
const filter = ops.ones([3, 3, 3, 4]);
const list = new Float32Array(4);

type Slip = readonly [code: string, slip: () => unknown, kind: ErrorConstructor, message: string];
const slips: Record<string, readonly Slip[]> = {
  'convolutions and pools': [
    ['conv2d(x, filter, 1)', () => ops.conv2d(images, filter, any(1)), TypeError, 'write { strides: 1 }'],
    ['{ dataFormat }', () => ops.conv2d(images, filter, any({ dataFormat: 'NCHW' })), TypeError, 'images are [images, height, width, channels] here'], // prettier-ignore
    ['{ activation }', () => ops.conv2d(images, filter, any({ activation: 'relu' })), TypeError, '{ relu: true }'],
    ['{ dilationRate }', () => ops.conv2d(images, filter, any({ dilationRate: 2 })), TypeError, "did you mean 'dilations'?"], // prettier-ignore
    ['a list as images', () => ops.conv2d(any([[1]]), filter), TypeError, 'tensor(values) makes one of it'],
    ['ksize of four', () => ops.maxPool(images, any([1, 2, 2, 1])), RangeError, 'take the middle'],
    ['maxPool(x, 2, 2)', () => ops.maxPool(images, 2, any(2)), TypeError, 'write { strides: 2 }'],
    ['outputShape third', () => ops.conv2dTranspose(images, filter, any([2, 8, 6, 3])), TypeError, 'write { outputShape: [...] }'], // prettier-ignore
    ['{ outputPadding }', () => ops.conv2dTranspose(images, filter, any({ outputPadding: 1 })), TypeError, 'outputShape'], // prettier-ignore
    ['[N, C, L]', () => ops.conv1d(ops.ones([2, 3, 10]), ops.ones([3, 3, 4])), RangeError, 'ops.transpose(x, [0, 2, 1])'], // prettier-ignore
  ],
  'normalisation, attention and cells': [
    ['{ weight, bias }', () => ops.layerNorm(matrix, any({ weight: 1 })), TypeError, "did you mean 'gamma'?"],
    ['{ runningMean }', () => ops.batchNorm(matrix, any({ runningMean: 1 })), TypeError, "did you mean 'movingMean'?"],
    ['{ isTraining }', () => ops.batchNorm(matrix, any({ isTraining: true })), TypeError, "did you mean 'training'?"],
    ['gamma of channels that come first', () => ops.batchNorm(ops.ones([2, 3, 8, 8]), { gamma: new Float32Array(3), training: true }), RangeError, 'ops.transpose(x, [0, 2, 3, 1])'], // prettier-ignore
    ['a mask without a name', () => ops.scaledDotProductAttention(matrix, matrix, matrix, any(matrix)), TypeError, 'write { mask: mask }'], // prettier-ignore
    ['{ dropoutP }', () => ops.scaledDotProductAttention(matrix, matrix, matrix, any({ dropoutP: 0.1 })), TypeError, "did you mean 'dropoutRate'?"], // prettier-ignore
    ['lstm(x)', () => any(ops.lstm)(sequences), TypeError, 'options must be an object of kernel, recurrentKernel'],
    ['gru(x)', () => any(ops.gru)(sequences), TypeError, 'options must be an object of kernel, recurrentKernel'],
    ["PyTorch's weight_ih", () => ops.lstm(sequences, { kernel: ops.ones([12, 5]), recurrentKernel: ops.ones([12, 3]) }), RangeError, 'ops.transpose turns it'], // prettier-ignore
    ["TensorFlow 1's kernel", () => ops.lstm(sequences, { kernel: ops.ones([8, 12]), recurrentKernel: ops.ones([3, 12]) }), RangeError, 'ops.split(kernel, [5, 3])'], // prettier-ignore
    ['ids of float32', () => ops.embeddingLookup(matrix, any(tensor([0, 1]))), TypeError, 'ops.cast makes it that'],
  ],
  losses: [
    ["reduction: 'mean'", () => losses.meanSquaredError(matrix, matrix, { reduction: any('mean') }), RangeError, 'write losses.Reduction.MEAN'], // prettier-ignore
    ['a weight without a name', () => losses.logLoss(matrix, matrix, any(0.5)), TypeError, 'write { weights: 0.5 }'],
    ['huberLoss(y, x, 1)', () => losses.huberLoss(matrix, matrix, any(1)), TypeError, 'write { delta: 1 }'],
    ['{ beta }', () => losses.huberLoss(matrix, matrix, any({ beta: 1 })), TypeError, "did you mean 'delta'?"],
    ['{ ignoreIndex }', () => losses.sparseSoftmaxCrossEntropy(classes, matrix, any({ ignoreIndex: 0 })), TypeError, 'the weight 0'], // prettier-ignore
    ['classes in place of rows', () => losses.softmaxCrossEntropy(any(classes), matrix), TypeError, 'sparseSoftmaxCrossEntropy takes classes'], // prettier-ignore
    ['the same of the op', () => ops.softmaxCrossEntropyWithLogits(any(Int32Array.of(0, 1)), matrix), TypeError, 'sparseSoftmaxCrossEntropyWithLogits takes classes'], // prettier-ignore
    ['swapped', () => losses.sparseSoftmaxCrossEntropy(any(matrix), any(classes)), TypeError, 'labels is float32, expected int32'], // prettier-ignore
  ],
  layers: [
    ['dense(3, 4)', () => any(layers.dense)(3, 4), TypeError, 'write { inputs: 3, ... }'],
    ['dense()', () => any(layers.dense)(), TypeError, 'options must be an object of name, dtype, inputs, units'],
    ['{ inFeatures }', () => layers.dense(any({ inFeatures: 3 })), TypeError, "did you mean 'inputs'?"],
    ['{ outFeatures }', () => layers.dense(any({ outFeatures: 3 })), TypeError, "did you mean 'units'?"],
    ['{ bias: false }', () => layers.dense(any({ inputs: 3, units: 4, bias: false })), TypeError, "did you mean 'useBias'?"], // prettier-ignore
    ["activation: 'relu'", () => layers.dense({ inputs: 3, units: 4, activation: any('relu') }), TypeError, 'write ops.relu'], // prettier-ignore
    ["kernelInitializer: 'heNormal'", () => layers.dense({ inputs: 3, units: 4, kernelInitializer: any('heNormal') }), TypeError, 'the initializer of dense/kernel must be a function'], // prettier-ignore
    ['initializers.heNormal, not called', () => layers.dense({ inputs: 3, units: 4, kernelInitializer: any(initializers.heNormal) }), TypeError, 'initializer(options)(shape)'], // prettier-ignore
    ['initializers.zeros, not called', () => layers.dense({ inputs: 3, units: 4, biasInitializer: any(initializers.zeros) }), TypeError, 'call it, as in initializers.zeros()'], // prettier-ignore
    ['x of another size', () => layers.dense({ inputs: 4, units: 4 }).call(matrix), RangeError, 'x has shape [2, 3], expected [..., 4]'], // prettier-ignore
    ['a list as x', () => layers.dense({ inputs: 3, units: 4 }).call(any([[1, 2, 3]])), TypeError, 'tensor(values, shape)'], // prettier-ignore
    ['[N, C, H, W]', () => layers.conv2d({ inputs: 3, filters: 4, kernelSize: 3 }).call(ops.ones([2, 3, 8, 8])), RangeError, 'ops.transpose(x, [0, 2, 3, 1])'], // prettier-ignore
    ['batchNorm(3)', () => layers.batchNorm(any(3)), TypeError, 'write { features: 3 }'],
    ['{ numFeatures }', () => layers.batchNorm(any({ numFeatures: 3 })), TypeError, "did you mean 'features'?"],
    ['call(x, true)', () => layers.batchNorm({ features: 3 }).call(matrix, any(true)), TypeError, 'write { training: true }'], // prettier-ignore
    ["call(x, { training: 'yes' })", () => layers.dropout(0.5)(matrix, any({ training: 'yes' })), TypeError, 'training must be a boolean'], // prettier-ignore
    ['{ numEmbeddings }', () => layers.embedding(any({ numEmbeddings: 3 })), TypeError, "did you mean 'rows'?"],
    ['{ hiddenSize }', () => layers.lstm(any({ inputs: 3, hiddenSize: 4 })), TypeError, "did you mean 'units'?"],
    [
      '{ numLayers }',
      () => layers.lstm(any({ inputs: 3, units: 4, numLayers: 2 })),
      TypeError,
      'sequential lays layers',
    ],
    ['{ returnSequences }', () => layers.gru(any({ inputs: 3, units: 4, returnSequences: true })), TypeError, 'call gives all times'], // prettier-ignore
    [
      'x without times',
      () => layers.gru({ inputs: 3, units: 4 }).call(matrix),
      RangeError,
      'expected [batch, time, 3]',
    ],
    ['attention of two dimensions', () => layers.multiHeadAttention({ features: 3, heads: 1 }).call(matrix), RangeError, 'expected [batch, tokens, 3]'], // prettier-ignore
    ['sequential(layer)', () => layers.sequential(any(layers.dense({ inputs: 3, units: 4 }))), TypeError, 'write sequential([...])'], // prettier-ignore
    ['a list in a list', () => layers.sequential([any([(x: unknown) => x])]), TypeError, 'a list of layers is sequential([...])'], // prettier-ignore
    ["sequential(['relu'])", () => layers.sequential(any(['relu'])), TypeError, 'layer 0 must be a layer or a function of a tensor, got "relu"'], // prettier-ignore
    ['sequential(...).call(x, true)', () => layers.sequential([]).call(matrix, any(true)), TypeError, 'write { training: true }'], // prettier-ignore
    ['flatten()', () => any(layers.flatten)(), TypeError, 'x must be a Tensor, got undefined'],
  ],
  data: [
    [
      'a tensor as column',
      () => data.batches(any({ matrix }), { batchSize: 2 }),
      TypeError,
      'a Tensor: its data is one',
    ],
    ['batches(columns, 2)', () => data.batches({ list }, any(2)), TypeError, 'write { batchSize: 2 }'],
    ['batches(columns)', () => any(data.batches)({ list }), TypeError, 'options must be an object of batchSize'],
    ['{ dropLast }', () => data.batches({ list }, any({ batchSize: 2, dropLast: true })), TypeError, "'dropRemainder'"],
    [
      'shuffle: 7',
      () => data.batches({ list }, { batchSize: 2, shuffle: any(7) }),
      TypeError,
      'new RandomGenerator(7)',
    ],
    ['shuffled(rows, 9)', () => data.shuffled([], any(9)), TypeError, 'write { bufferSize: 9 }'],
    ['batched(rows)', () => any(data.batched)([]), TypeError, 'options must be an object of batchSize'],
  ],
  'start values and random numbers': [
    ['heNormal([3, 4])', () => initializers.heNormal(any([3, 4])), TypeError, 'initializer(options)(shape)'],
    ['randomNormal(0, 0.02)', () => any(initializers.randomNormal)(0, 0.02), TypeError, 'write { mean: 0 }'],
    [
      '{ low } of an initializer',
      () => initializers.randomUniform(any({ low: 0 })),
      TypeError,
      "did you mean 'minval'?",
    ],
    ['an initializer as values', () => variable(any(initializers.zeros())), TypeError, 'initializer(shape)'],
    ['normal(3)', () => random.normal(any(3)), TypeError, 'shape must be an array of sizes, got 3: write [3]'],
    [
      'shuffle(a tensor)',
      () => random.shuffle(any(matrix)),
      TypeError,
      'ops.gather(x, random.permutation(x.shape[0]))',
    ],
    ["dtype: 'double'", () => random.normal([3], { dtype: any('double') }), TypeError, "write 'float64'"],
  ],
  'tensors and other ops': [
    ["dtype 'float'", () => tensor([1], [1], any('float')), TypeError, "write 'float32'"],
    ["dtype 'torch.long'", () => ops.cast(matrix, any('torch.long')), TypeError, "write 'int32'"],
    ["dtype 'half'", () => ops.cast(matrix, any('half')), TypeError, 'or \'bool\', got "half"'],
    ['add([1], [2])', () => ops.add(any([1]), any([2])), TypeError, 'tensor(values) makes one of it'],
    ['reduceMean(x, { axis })', () => ops.reduceMean(matrix, any({ axis: 1 })), TypeError, 'options come after them'],
    ['reduceMean(x, 1, true)', () => ops.reduceMean(matrix, 1, any(true)), TypeError, 'write { keepDims: true }'],
    ['softmax(x, 1)', () => ops.softmax(matrix, any(1)), TypeError, 'write { axis: 1 }'],
    ['leakyRelu(x, 0.1)', () => ops.leakyRelu(matrix, any(0.1)), TypeError, 'write { alpha: 0.1 }'],
    ['concat(0, [x, x])', () => ops.concat(any(0), any([matrix])), TypeError, 'an axis comes after it'],
    ['where(0 and 1, x, y)', () => ops.where(any(matrix), matrix, 0), TypeError, 'ops.notEqual(condition, 0)'],
    ['tile(x, 2)', () => ops.tile(matrix, any(2)), TypeError, 'multiples must be an array, got 2'],
    ["einsum(x, 'ij->ji')", () => ops.einsum(any(matrix), any('ij->ji')), TypeError, 'equation must be a string, got a Tensor'], // prettier-ignore
    ['gather(x, ids, 1)', () => ops.gather(matrix, [0], any(1)), TypeError, 'write { axis: 1 }'],
    ['ids in lists of lists', () => ops.gather(matrix, any([[0, 1]])), TypeError, "tensor(values, undefined, 'int32')"],
    ['ids in a Uint8Array', () => ops.gather(matrix, any(Uint8Array.of(1))), TypeError, 'Int32Array.from makes one'],
    ["mode: 'REFLECT'", () => ops.pad(matrix, [[1, 1], [0, 0]], { mode: any('REFLECT') }), RangeError, "write 'reflect'"], // prettier-ignore
    ['{ value } of pad', () => ops.pad(matrix, [[1, 1], [0, 0]], any({ value: 1 })), TypeError, "'constantValues'"], // prettier-ignore
    [
      '{ descending }',
      () => ops.sort(matrix, any({ descending: true })),
      TypeError,
      "write { direction: 'descending' }",
    ],
    ['variable(array, [2, 2])', () => variable(list, any([2, 2])), TypeError, 'write { shape: [...] }'],
    ['dropout(x, { training })', () => ops.dropout(matrix, any({ rate: 0.5, training: true })), TypeError, 'layers do'],
  ],
};

for (const [what, of] of Object.entries(slips)) {
  describe(`a slip with ${what}`, () => {
    for (const [code, slip, kind, message] of of) {
      it(`is refused, and says what was meant: ${code}`, () => {
        expect(slip).to.throw(kind, message);
      });
    }
  });
}
