import { expect } from 'chai';
import {
  AdamWOptimizer,
  clipByGlobalNorm,
  GradientDescentOptimizer,
  LazyAdamOptimizer,
  losses,
  MomentumOptimizer,
  ops,
  tensor,
  type Optimizer,
  type Tensor,
  type Variable,
} from 'gradstep';
import {
  activation,
  batchNorm,
  conv2d,
  dense,
  embedding,
  flatten,
  gru,
  layerNorm,
  lstm,
  maxPool,
  multiHeadAttention,
  sequential,
} from 'gradstep/layers';

// The models of docs/migration/ports.md, smaller, with weights that are taken over as docs/migration/pytorch.md says, against the losses that
// PyTorch 1.13 gave: torch_losses.py prints them.
const expected = {
  lenet: [2.630129, 2.568457, 2.458127, 2.313933],
  resnet: [1.687009, 0.86411, 0.857921, 0.619163, 0.493368],
  lstm: [0.673264, 0.668549, 0.664283, 0.660421],
  gru: [0.414091, 0.412582, 0.411163, 0.409831],
  gpt: [1.609543, 1.516921, 1.43267, 1.34911],
  vae: [8.430344, 8.342877, 8.257603, 8.173969],
  word2vec: [4.259785, 3.796147, 3.383525, 3.018548],
};

/** What both sides compute: an array of PyTorch's shape. */
function numbers(shape: readonly number[], seed: number, scale = 1): Tensor {
  const size = shape.reduce((product, dim) => product * dim, 1);
  return tensor(
    Float32Array.from({ length: size }, (_, i) => Math.sin(i * 0.7 + seed) * scale),
    shape,
  );
}

/** A parameter of PyTorch with its shape there, and what becomes of it here. */
interface Parameter {
  readonly shape: readonly number[];
  readonly isGain?: boolean;
  readonly take: (theirs: Tensor) => void;
}

const into = (variable: Variable | null, by: (x: Tensor) => Tensor = (x) => x): ((theirs: Tensor) => void) => {
  return (theirs) => {
    variable!.assign(by(theirs));
  };
};
const reversed = (variable: Variable): Pick<Parameter, 'shape' | 'take'> => {
  const [rows, columns] = variable.shape as [number, number];
  return { shape: [columns, rows], take: into(variable, (x) => ops.transpose(x)) };
};
const filter = (variable: Variable): Parameter => {
  const [height, width, channels, outputs] = variable.shape as [number, number, number, number];
  return { shape: [outputs, channels, height, width], take: into(variable, (x) => ops.transpose(x, [2, 3, 1, 0])) };
};
const same = (variable: Variable | null): Parameter => ({ shape: variable!.shape, take: into(variable) });
const gain = (variable: Variable | null): Parameter => ({ ...same(variable), isGain: true });
const linear = (layer: { kernel: Variable; bias: Variable | null }): Parameter[] => [
  reversed(layer.kernel),
  same(layer.bias),
];

/** In the order of PyTorch's named_parameters(). */
function fill(parameters: readonly Parameter[]): void {
  parameters.forEach(({ shape, isGain = false, take }, seed) => {
    const columns = shape.slice(1).reduce((product, dim) => product * dim, 1);
    take(isGain ? ops.add(numbers(shape, seed, 0.1), 1) : numbers(shape, seed, 0.3 / Math.sqrt(columns)));
  });
}

function train(loss: () => Tensor, optimizer: Optimizer, clip?: number): number[] {
  return Array.from({ length: 4 }, () => {
    const gradients = optimizer.computeGradients(loss);
    optimizer.applyGradients(clip === undefined ? gradients : clipByGlobalNorm(gradients, clip)[0]);
    return gradients.loss.item();
  });
}

const adam = (learningRate: number): Optimizer => new AdamWOptimizer({ learningRate, weightDecay: 0 });
const relu = { activation: ops.relu };

const models: Record<keyof typeof expected, () => number[]> = {
  lenet() {
    const [conv1, conv2] = [
      conv2d({ inputs: 1, filters: 6, kernelSize: 5, padding: 2, ...relu, name: 'conv1' }),
      conv2d({ inputs: 6, filters: 16, kernelSize: 5, ...relu, name: 'conv2' }),
    ];
    const [fc1, fc2, fc3] = [
      dense({ inputs: 400, units: 120, ...relu, name: 'fc1' }),
      dense({ inputs: 120, units: 84, ...relu, name: 'fc2' }),
      dense({ inputs: 84, units: 10, name: 'fc3' }),
    ];
    // Behind flatten channels come last here, first there.
    const ofChannels = (w: Tensor): Tensor =>
      ops.reshape(ops.transpose(ops.reshape(w, [-1, 16, 5, 5]), [2, 3, 1, 0]), [400, -1]);
    fill([
      filter(conv1.kernel), same(conv1.bias), filter(conv2.kernel), same(conv2.bias),
      { shape: [120, 400], take: into(fc1.kernel, ofChannels) }, same(fc1.bias), ...linear(fc2), ...linear(fc3),
    ]); // prettier-ignore
    const model = sequential([conv1, maxPool(2), conv2, maxPool(2), flatten, fc1, fc2, fc3]);
    const x = ops.transpose(numbers([4, 1, 28, 28], 1), [0, 2, 3, 1]);
    const loss = (): Tensor =>
      losses.sparseSoftmaxCrossEntropy([3, 1, 4, 1], model.call(x, { training: true }), { labelSmoothing: 0.1 });
    return train(loss, new MomentumOptimizer({ learningRate: 0.05, momentum: 0.9 }));
  },

  resnet() {
    const conv = (inputs: number, kernelSize: number, strides: number, name: string) =>
      conv2d({ inputs, filters: 4, kernelSize, strides, padding: (kernelSize - 1) / 2, useBias: false, name });
    const norm = (name: string) => batchNorm({ features: 4, momentum: 0.9, epsilon: 1e-5, name });
    const [conv1, conv2, conv3] = [conv(3, 3, 2, 'conv1'), conv(4, 3, 1, 'conv2'), conv(3, 1, 2, 'conv3')];
    const [bn1, bn2, bn3] = [norm('bn1'), norm('bn2'), norm('bn3')];
    fill([
      filter(conv1.kernel), gain(bn1.gamma), same(bn1.beta), filter(conv2.kernel), gain(bn2.gamma), same(bn2.beta),
      filter(conv3.kernel), gain(bn3.gamma), same(bn3.beta),
    ]); // prettier-ignore
    const [body, short] = [sequential([conv1, bn1, activation(ops.relu), conv2, bn2]), sequential([conv3, bn3])];
    const [x, y] = [numbers([2, 3, 8, 8], 1), numbers([2, 4, 4, 4], 2)].map((t) => ops.transpose(t, [0, 2, 3, 1]));
    const loss = (training: boolean) => (): Tensor => {
      const [a, b] = [body.call(x!, { training }), short.call(x!, { training })];
      return losses.meanSquaredError(y!, ops.relu(ops.add(a, b)));
    };
    const found = train(loss(true), new GradientDescentOptimizer({ learningRate: 0.1 }));
    return [...found, loss(false)().item()];
  },

  lstm() {
    const table = embedding({ rows: 20, features: 6, name: 'embedding' });
    const cells = lstm({ inputs: 6, units: 5, gateOrder: 'ifjo', name: 'lstm' });
    const head = dense({ inputs: 5, units: 2, name: 'head' });
    const { kernel, recurrentKernel, bias } = cells;
    const added = (theirs: Tensor): void => {
      bias.assign(ops.add(bias, theirs));
    };
    fill([
      same(table.table), reversed(kernel), reversed(recurrentKernel), same(bias), { shape: [20], take: added }, ...linear(head),
    ]); // prettier-ignore
    const ids = tensor(Int32Array.from({ length: 21 }, (_, i) => (i * 5) % 20), [3, 7]); // prettier-ignore
    const loss = (): Tensor => {
      const { state } = cells.run(table.call(ids), { sequenceLength: [7, 2, 5] });
      return losses.sparseSoftmaxCrossEntropy([0, 1, 1], head.call(state.h));
    };
    return train(loss, adam(0.01), 0.1);
  },

  gru() {
    const cells = gru({ inputs: 3, units: 4, resetAfter: true, name: 'gru' });
    fill([reversed(cells.kernel), reversed(cells.recurrentKernel), same(cells.bias), same(cells.recurrentBias)]);
    const [x, y] = [numbers([2, 5, 3], 1), numbers([2, 5, 4], 2)];
    const loss = (): Tensor => ops.div(losses.huberLoss(y, cells.call(x), { delta: 0.5 }), 0.5);
    return train(loss, new GradientDescentOptimizer({ learningRate: 0.5 }));
  },

  gpt() {
    const [norm1, norm2] = [layerNorm({ features: 8, name: 'norm1' }), layerNorm({ features: 8, name: 'norm2' })];
    const attention = multiHeadAttention({ features: 8, heads: 2, causal: true, name: 'attention' });
    const up = dense({ inputs: 8, units: 32, activation: ops.gelu, name: 'up' });
    const down = dense({ inputs: 32, units: 8, name: 'down' });
    fill([
      gain(norm1.gamma), same(norm1.beta), ...linear(attention.projections), ...linear(attention.output),
      gain(norm2.gamma), same(norm2.beta), ...linear(up), ...linear(down),
    ]); // prettier-ignore
    const x = numbers([2, 5, 8], 1);
    const labels = Int32Array.from({ length: 10 }, (_, i) => i % 8);
    const loss = (): Tensor => {
      const seen = ops.add(x, attention.call(norm1.call(x)));
      return losses.sparseSoftmaxCrossEntropy(labels, ops.add(seen, down.call(up.call(norm2.call(seen)))));
    };
    return train(loss, new AdamWOptimizer({ learningRate: 0.01, weightDecay: 0.1 }));
  },

  vae() {
    const hidden = dense({ inputs: 12, units: 8, ...relu, name: 'hidden' });
    const [meanOf, logVarianceOf] = [dense({ inputs: 8, units: 3, name: 'mean' }), dense({ inputs: 8, units: 3, name: 'logVariance' })]; // prettier-ignore
    const [first, second] = [dense({ inputs: 3, units: 8, ...relu, name: 'd0' }), dense({ inputs: 8, units: 12, name: 'd2' })]; // prettier-ignore
    fill([hidden, meanOf, logVarianceOf, first, second].flatMap(linear));
    const x = ops.cast(ops.greater(numbers([4, 12], 1), 0), 'float32');
    const noise = numbers([4, 3], 2);
    const loss = (): Tensor => {
      const h = hidden.call(x);
      const [mean, logVariance] = [meanOf.call(h), logVarianceOf.call(h)];
      const z = ops.add(mean, ops.mul(noise, ops.exp(ops.mul(logVariance, 0.5))));
      const logits = second.call(first.call(z));
      const reconstruction = losses.sigmoidCrossEntropy(x, logits, { reduction: losses.Reduction.SUM });
      const terms = ops.sub(ops.sub(ops.add(logVariance, 1), ops.square(mean)), ops.exp(logVariance));
      return ops.div(ops.sub(reconstruction, ops.mul(ops.reduceSum(terms), 0.5)), 4);
    };
    return train(loss, adam(0.01));
  },

  word2vec() {
    const [center, context] = [embedding({ rows: 30, features: 4, name: 'center' }), embedding({ rows: 30, features: 4, name: 'context' })]; // prettier-ignore
    center.table.assign(numbers([30, 4], 1));
    context.table.assign(numbers([30, 4], 2));
    const words = Int32Array.from({ length: 6 }, (_, i) => 3 * i);
    const neighbours = words.map((word) => word + 1);
    const negatives = tensor(Int32Array.from({ length: 18 }, (_, i) => (i * 7) % 30), [6, 3]); // prettier-ignore
    const loss = (): Tensor => {
      const v = center.call(words);
      const positive = ops.reduceSum(ops.mul(v, context.call(neighbours)), 1);
      const negative = ops.squeeze(ops.matMul(context.call(negatives), ops.expandDims(v, 2)), { axes: 2 });
      const likelihood = ops.add(ops.logSigmoid(positive), ops.reduceSum(ops.logSigmoid(ops.neg(negative)), 1));
      return ops.neg(ops.reduceMean(likelihood));
    };
    return train(loss, new LazyAdamOptimizer({ learningRate: 0.05 }));
  },
};

describe('a model that is taken over from PyTorch', () => {
  for (const [name, run] of Object.entries(models)) {
    it(`has its losses while it trains: ${name}`, () => {
      const found = run();
      const wanted = expected[name as keyof typeof expected];
      expect(found.length).to.equal(wanted.length);
      wanted.forEach((loss, i) => expect(found[i], `loss ${i}`).to.be.closeTo(loss, 2e-5 * Math.max(1, loss)));
    });
  }
});
