import { expect } from 'chai';
import {
  AdamOptimizer,
  compileStep,
  gradients,
  IndexedSlices,
  initializers,
  ops,
  random,
  tensor,
  type Tensor,
} from 'gradstep';
import {
  activation,
  avgPool,
  batchNorm,
  conv2d,
  conv2dTranspose,
  dense,
  dropout,
  embedding,
  flatten,
  globalAveragePool,
  groupNorm,
  gru,
  layerNorm,
  lstm,
  maxPool,
  multiHeadAttention,
  rmsNorm,
  sequential,
  VariableHolder,
  type Layer,
} from 'gradstep/layers';
import { expectClose, randomTensor } from '../support/numeric-gradient';

const same = (a: Tensor, b: Tensor): void => {
  expect(a.shape).to.deep.equal(b.shape);
  expect([...a.data]).to.deep.equal([...b.data]);
};
const float = (shape: number[], seed = 1): Tensor => randomTensor(shape, { dtype: 'float32', seed });

describe('layers', () => {
  beforeEach(() => {
    random.seed(1);
  });

  it('dense multiplies, adds and activates, for any leading dimensions', () => {
    for (const activation of [undefined, ops.relu, ops.tanh]) {
      const layer = dense({ inputs: 3, units: 5, name: 'fc', ...(activation && { activation }) });
      layer.bias!.assign([1, -1, 2, -2, 0]);
      for (const shape of [[4, 3], [2, 4, 3], [3]]) {
        const x = float(shape);
        const rows = ops.add(ops.matMul(ops.reshape(x, [-1, 3]), layer.kernel), layer.bias!);
        same(
          layer.call(x),
          ops.reshape(activation === undefined ? rows : activation(rows), [...shape.slice(0, -1), 5]),
        );
      }
    }
    const plain = dense({ inputs: 3, units: 2, useBias: false, dtype: 'float64' });
    expect(plain.variables().map(({ name, dtype }) => [name, dtype])).to.deep.equal([['dense/kernel', 'float64']]);
  });

  it('conv2d is ops.conv2d with its own filter', () => {
    const layer = conv2d({
      inputs: 4,
      filters: 6,
      kernelSize: [3, 2],
      strides: 2,
      padding: 'SAME',
      groups: 2,
      name: 'c',
    });
    expect(layer.kernel.shape).to.deep.equal([3, 2, 2, 6]);
    layer.bias!.assign([1, 2, 3, 4, 5, 6]);
    const x = float([2, 7, 5, 4]);
    same(layer.call(x), ops.add(ops.conv2d(x, layer.kernel, { strides: 2, padding: 'SAME', groups: 2 }), layer.bias!));
    const rectified = conv2d({ inputs: 4, filters: 6, kernelSize: 3, activation: ops.relu, name: 'r' });
    same(rectified.call(x), ops.relu(ops.conv2d(x, rectified.kernel)));
  });

  it('batchNorm moves its averages in training, and goes by them otherwise', () => {
    const layer = batchNorm({ features: 3, momentum: 0.5, name: 'bn' });
    expect(layer.parameters().map(({ name }) => name)).to.deep.equal(['bn/gamma', 'bn/beta']);
    expect(layer.variables().map(({ name }) => name)).to.include.members(['bn/movingMean', 'bn/movingVariance']);
    const x = float([16, 3]);
    same(layer.call(x), ops.batchNorm(x, { movingMean: tensor([0, 0, 0]), movingVariance: tensor([1, 1, 1]) }));
    const trained = layer.call(x, { training: true });
    expectClose(ops.reduceMean(trained, 0).data, [0, 0, 0], 1e-6);
    const mean = ops.reduceMean(x, 0);
    expectClose(
      layer.movingMean.data,
      [...mean.data].map((value) => value / 2),
      1e-6,
    );
    expect([...layer.movingVariance.data]).not.to.deep.equal([1, 1, 1]);
    const bare = batchNorm({ features: 3, center: false, scale: false, name: 'bare' });
    expect(bare.parameters()).to.deep.equal([]);
  });

  it('layerNorm, embedding and lstm are the ops with variables', () => {
    const x = float([2, 5, 4]);
    const norm = layerNorm({ features: 4 });
    same(norm.call(x), ops.layerNorm(x, { gamma: norm.gamma, beta: norm.beta }));
    const table = embedding({ rows: 7, features: 4 });
    same(table.call([3, 1, 3]), ops.gather(table.table, [3, 1, 3]));
    const [dtable] = gradients(() => ops.reduceSum(ops.square(table.call([3, 1, 3]))), [table.table]);
    expect(dtable).to.be.instanceOf(IndexedSlices);
    const cells = lstm({ inputs: 4, units: 3 });
    const { kernel, recurrentKernel, bias } = cells;
    same(cells.call(x), ops.lstm(x, { kernel, recurrentKernel, bias }).outputs);
    const first = cells.run(x).state;
    same(cells.run(x, { initialState: first }).outputs, ops.lstm(x, { kernel, recurrentKernel, bias, initialState: first }).outputs); // prettier-ignore
  });

  it('gru is the op with variables, the reset before or after', () => {
    const x = float([2, 5, 4]);
    const before = gru({ inputs: 4, units: 3 });
    const { kernel, recurrentKernel, bias } = before;
    expect(before.variables()).to.deep.equal([kernel, recurrentKernel, bias]);
    same(before.call(x), ops.gru(x, { kernel, recurrentKernel, bias }).outputs);
    const biasInitializer = initializers.randomUniform({ seed: 1 });
    const after = gru({ inputs: 4, units: 3, resetAfter: true, biasInitializer, name: 'g' });
    expect(after.variables().map(({ name, shape }) => `${name} ${shape.join()}`)).to.deep.equal([
      'g/kernel 4,9', 'g/recurrentKernel 3,9', 'g/bias 9', 'g/recurrentBias 9',
    ]); // prettier-ignore
    const own = { kernel: after.kernel, recurrentKernel: after.recurrentKernel, bias: after.bias };
    const recurrentBias = after.recurrentBias!;
    same(after.call(x), ops.gru(x, { ...own, resetAfter: true, recurrentBias }).outputs);
    const first = after.run(x, { sequenceLength: [2, 5] }).state;
    same(
      after.run(x, { initialState: first }).state,
      ops.gru(x, { ...own, resetAfter: true, recurrentBias, initialState: first }).state,
    );
  });

  it('lstm takes the gates in the order of Keras and PyTorch, whose forget bias is a bias', () => {
    const x = float([2, 5, 4]);
    const cells = lstm({ inputs: 4, units: 3, gateOrder: 'ifjo' });
    const { kernel, recurrentKernel, bias } = cells;
    same(cells.call(x), ops.lstm(x, { kernel, recurrentKernel, bias, gateOrder: 'ifjo' }).outputs);
    const { c } = cells.run(x, { sequenceLength: [1, 0] }).state;
    expect([...c.data.subarray(3)]).to.deep.equal([0, 0, 0]);
    expect(() => lstm({ inputs: 4, units: 3, gateOrder: 'ifgo' as never })).to.throw(TypeError, "gateOrder must be 'ijfo' or 'ifjo'"); // prettier-ignore
    expect(() => lstm({ inputs: 4, units: 3, forgetBias: '1' as never })).to.throw(TypeError, 'forgetBias');
  });

  it('groupNorm and rmsNorm are the ops with variables', () => {
    const x = float([2, 3, 5, 6]);
    const groups = groupNorm({ features: 6, groups: 2, epsilon: 1e-3, name: 'g' });
    groups.gamma.assign([1, 2, 3, 4, 5, 6]);
    groups.beta.assign([0, 1, 0, -1, 0, 1]);
    const { gamma, beta } = groups;
    same(groups.call(x), ops.groupNorm(x, 2, { gamma, beta, epsilon: 1e-3 }));
    const rows = rmsNorm({ features: 6, name: 'r' });
    rows.gamma.assign([1, 2, 3, 4, 5, 6]);
    same(rows.call(x), ops.rmsNorm(x, { gamma: rows.gamma }));
    expect([...groups.variables(), ...rows.variables()].map(({ name }) => name)).to.deep.equal(['g/gamma', 'g/beta', 'r/gamma']); // prettier-ignore
    expect(() => groupNorm({ features: 6, groups: 4 })).to.throw(RangeError, 'groups must divide features, got 4 of 6');
    expect(() => rmsNorm({ features: 6 }).call(float([2, 5]))).to.throw(RangeError, 'expected [..., 6]');
  });

  it('conv2dTranspose is the op with a filter and a bias', () => {
    const layer = conv2dTranspose({ inputs: 4, filters: 3, kernelSize: [4, 2], strides: 2, padding: 'SAME', name: 'up' }); // prettier-ignore
    expect(layer.kernel.shape).to.deep.equal([4, 2, 3, 4]);
    layer.bias!.assign([1, 2, 3]);
    const x = float([2, 3, 5, 4]);
    const y = ops.conv2dTranspose(x, layer.kernel, { strides: 2, padding: 'SAME' });
    same(layer.call(x), ops.add(y, layer.bias!));
    expect(layer.call(x).shape).to.deep.equal([2, 6, 10, 3]);
    const bare = conv2dTranspose({ inputs: 4, filters: 3, kernelSize: 2, useBias: false, activation: ops.relu });
    same(bare.call(x), ops.relu(ops.conv2dTranspose(x, bare.kernel)));
  });

  it('pools, and functions of a tensor alone, stand among layers, in training too', () => {
    const x = float([2, 8, 8, 3]);
    const model = sequential([
      maxPool(2),
      avgPool(3, { strides: 1, padding: 'SAME' }),
      activation(ops.gelu),
      globalAveragePool,
      activation((y) => ops.softmax(y)),
    ]);
    const pooled = ops.avgPool(ops.maxPool(x, 2), 3, { strides: 1, padding: 'SAME' });
    same(model.call(x, { training: true }), ops.softmax(ops.globalAveragePool(ops.gelu(pooled))));
    const wrong = sequential([ops.gelu as never]);
    expect(() => wrong.call(x, { training: true })).to.throw(TypeError, "there is no 'training', ops do not ask for it: layers do, among which an op is activation(op)"); // prettier-ignore
    expect(() => activation('gelu' as never)).to.throw(TypeError, 'f must be a function, got "gelu"');
    expect(() => maxPool([2, 2, 2] as never)).to.throw(RangeError, 'size must be a number or [down, across]');
    expect(() => maxPool(2, { stride: 2 } as never)).to.throw(TypeError, "did you mean 'strides'?");
    expect(() => avgPool(2, { padding: 'same' as never })).to.throw(TypeError, 'got "same": write \'SAME\'');
    expect(() => avgPool(2, { strides: 0 })).to.throw(RangeError, 'strides must be a positive whole number');
  });

  it('multiHeadAttention attends head by head', () => {
    const layer = multiHeadAttention({ features: 6, heads: 2, causal: true, dtype: 'float64', name: 'a' });
    const x = randomTensor([2, 4, 6]);
    const [q, k, v] = ops.split(layer.projections.call(x), 3, { axis: -1 }) as [Tensor, Tensor, Tensor];
    const heads = (t: Tensor): Tensor => ops.transpose(ops.reshape(t, [2, 4, 2, 3]), [0, 2, 1, 3]);
    const mask = tensor(
      Float64Array.from({ length: 16 }, (_, i) => (i % 4 > Math.floor(i / 4) ? -1e30 : 0)),
      [4, 4],
    );
    const scores = ops.mul(ops.matMul(heads(q), heads(k), { transposeB: true }), 1 / Math.sqrt(3));
    const seen = ops.matMul(ops.softmax(ops.add(scores, mask)), heads(v));
    const joined = ops.reshape(ops.transpose(seen, [0, 2, 1, 3]), [2, 4, 6]);
    expectClose(layer.call(x).data, layer.output.call(joined).data, 1e-12);
    expect(() => multiHeadAttention({ features: 6, heads: 4 })).to.throw(RangeError, 'heads must divide features');
  });

  it('sequential calls one after the other, tells them of training, and knows all variables', () => {
    const model = sequential([
      conv2d({ inputs: 1, filters: 2, kernelSize: 3, name: 'conv' }),
      (x) => ops.maxPool(x, 2),
      flatten,
      dropout(0.5),
      sequential([dense({ inputs: 18, units: 4, name: 'inner' }), batchNorm({ features: 4, name: 'norm' })]),
    ]);
    expect(model.parameters().map(({ name }) => name)).to.deep.equal([
      'conv/kernel', 'conv/bias', 'inner/kernel', 'inner/bias', 'norm/gamma', 'norm/beta',
    ]); // prettier-ignore
    const x = float([3, 8, 8, 1]);
    expect(model.call(x).shape).to.deep.equal([3, 4]);
    same(model.call(x), model.call(x));
    expect([...model.call(x, { training: true }).data]).not.to.deep.equal([...model.call(x, { training: true }).data]);
  });

  it('have state, which another one takes over', () => {
    const make = () =>
      sequential([dense({ inputs: 3, units: 4, name: 'one' }), batchNorm({ features: 4, name: 'two' })]);
    const [first, second] = [make(), make()];
    const x = float([5, 3]);
    first.call(x, { training: true });
    second.restore(first.state());
    same(second.call(x), first.call(x));
    expect(() => second.restore(first.state().slice(1))).to.throw(Error);
  });

  it('train alike eagerly and compiled, averages of batches too', () => {
    const run = (isCompiled: boolean): number[][] => {
      random.seed(3);
      const model = sequential([
        dense({ inputs: 4, units: 8, activation: ops.relu, name: 'a' }),
        batchNorm({ features: 8, name: 'b' }),
        dropout(0.25),
        dense({ inputs: 8, units: 2, name: 'c' }),
      ]);
      const optimizer = new AdamOptimizer({ learningRate: 0.01 });
      const [x, y] = [float([6, 4]), float([6, 2], 2)];
      const loss = (): Tensor => ops.reduceMean(ops.square(ops.sub(model.call(x, { training: true }), y)));
      if (isCompiled) {
        const step = compileStep({ inputs: {}, loss, optimizer });
        for (let i = 0; i < 4; i++) step.runSync({});
      } else for (let i = 0; i < 4; i++) optimizer.minimize(loss);
      return model.variables().map(({ data }) => [...data]);
    };
    expect(run(true)).to.deep.equal(run(false));
  });

  it('may be written by anybody', () => {
    class Scale extends VariableHolder implements Layer {
      readonly factor = dense({
        inputs: 1,
        units: 1,
        useBias: false,
        kernelInitializer: initializers.constant(3),
        name: 's',
      });
      override variables() {
        return this.factor.variables();
      }
      call(x: Tensor): Tensor {
        return this.factor.call(x);
      }
    }
    expect([...sequential([new Scale()]).call(tensor([[2]])).data]).to.deep.equal([6]);
  });

  it('refuse what they cannot use, with its name', () => {
    const twice = [dense({ inputs: 1, units: 1 }), dense({ inputs: 1, units: 1 })];
    expect(() => sequential(twice)).to.throw(Error, "two variables of the layers are called 'dense/kernel'");
    expect(() => sequential([twice[0]!, (x) => x, twice[0]!])).not.to.throw();
    expect(() => sequential([{}] as never)).to.throw(TypeError, 'call of layer 0 must be a function');
    expect(() => dense({ inputs: 0, units: 1 })).to.throw(RangeError, 'inputs must be a whole number above 0, got 0');
    expect(() => dense({ inputs: 1, units: 1.5 })).to.throw(RangeError, 'units');
    expect(() => dense({ inputs: 1, units: 1, activation: 'relu' as never })).to.throw(TypeError, 'activation must be a function'); // prettier-ignore
    expect(() => dense({ inputs: 1, units: 1, useBiases: true } as never)).to.throw(TypeError, 'useBias');
    expect(() => dense({ inputs: 1, units: 1, name: '' })).to.throw(RangeError, 'name must not be empty');
    expect(() => conv2d({ inputs: 3, filters: 4, kernelSize: 3, groups: 2 })).to.throw(
      RangeError,
      'groups must divide',
    );
    const shape = { inputs: 3, filters: 4, kernelSize: 3 };
    expect(() => conv2d({ ...shape, padding: 'same' as never })).to.throw(TypeError, 'got "same": write \'SAME\'');
    expect(() => conv2d({ ...shape, stride: 2 } as never)).to.throw(TypeError, "did you mean 'strides'?");
    expect(() => conv2d({ ...shape, kernelSize: [3] as never })).to.throw(RangeError, 'kernelSize must be a number or');
    expect(() => conv2dTranspose({ ...shape, strides: 0 })).to.throw(RangeError, 'strides');
    expect(() => gru({ inputs: 3, units: 2, resetAfter: 1 as never })).to.throw(TypeError, 'resetAfter');
    expect(() => dropout(1)).to.throw(RangeError, 'rate must be a number in [0, 1)');
  });
});
