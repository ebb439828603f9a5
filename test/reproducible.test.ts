import {
  AdamOptimizer,
  clipByGlobalNorm,
  GradientDescentOptimizer,
  MomentumOptimizer,
  ops,
  variable,
  type DType,
  type Optimizer,
  type Tensor,
  type Variable,
} from 'gradstep';
import { expectSameEverywhere, generator } from './support/parity';

/** A small classifier with sizes that are no multiple of anything, one large layer, an embedding and every kind of op. */
function train(optimizer: Optimizer, dtype: DType, steps: number): (Float32Array | Float64Array)[] {
  const next = generator(1);
  const make = (shape: number[], scale: number): Variable =>
    variable(
      Array.from({ length: shape.reduce((a, b) => a * b) }, () => (next() - 0.5) * scale),
      { shape, dtype },
    );
  const embedding = make([50, 37], 1);
  const [w1, b1, w2, b2] = [make([37, 1100], 0.3), make([1100], 0.1), make([1100, 7], 0.1), make([7], 0.1)];
  const labels = Int32Array.from({ length: 33 }, (_, i) => i % 7);
  for (let step = 0; step < steps; step++) {
    const rows = Int32Array.from({ length: 33 }, (_, i) => (i * 3 + step) % 50);
    const loss = (): Tensor => {
      const hidden = ops.tanh(ops.relu(ops.add(ops.matMul(ops.gather(embedding, rows), w1), b1)));
      const logits = ops.add(ops.matMul(hidden, w2), b2);
      const gate = ops.sigmoid(ops.reduceMean(ops.square(logits), 1, { keepDims: true }));
      const crossEntropy = ops.sparseSoftmaxCrossEntropyWithLogits(labels, ops.mul(logits, gate));
      return ops.add(ops.reduceMean(crossEntropy), ops.mul(ops.l2Loss(w2), 0.01));
    };
    const [clipped] = clipByGlobalNorm(optimizer.computeGradients(loss), 0.5);
    optimizer.applyGradients(clipped);
  }
  return [embedding, w1, b1, w2, b2, ...optimizer.variables()].map(({ data }) => data);
}

const optimizers: Record<string, () => Optimizer> = {
  GradientDescent: () => new GradientDescentOptimizer({ learningRate: 0.1 }),
  Momentum: () => new MomentumOptimizer({ learningRate: 0.05, momentum: 0.9, useNesterov: true }),
  Adam: () => new AdamOptimizer({ learningRate: 0.01 }),
};

describe('training for 50 steps', () => {
  for (const [name, make] of Object.entries(optimizers)) {
    for (const dtype of ['float32', 'float64'] as const) {
      it(`ends at the same bytes on every instruction set and with 1, 2 and 3 threads (${name}, ${dtype})`, function () {
        this.timeout(300_000);
        expectSameEverywhere(name, () => train(make(), dtype, 50));
      });
    }
  }

  it('gives the same bytes when run again', () => {
    const bytes = (): string =>
      train(optimizers.Adam!(), 'float32', 5)
        .map((data) => Buffer.from(data.slice().buffer).toString('hex'))
        .join();
    if (bytes() !== bytes()) throw new Error('two runs differ');
  });

  it('loses loss', () => {
    const v = variable([3, -2]);
    const optimizer = new AdamOptimizer({ learningRate: 0.1 });
    const first = optimizer.minimize(() => ops.l2Loss(v)).item();
    for (let i = 0; i < 200; i++) optimizer.minimize(() => ops.l2Loss(v));
    if (!(optimizer.minimize(() => ops.l2Loss(v)).item() < first / 1000)) throw new Error('it does not train');
  });
});
