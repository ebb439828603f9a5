import {
  AdamOptimizer,
  compileStep,
  createGlobalStep,
  ops,
  tensor,
  variable,
  type IndicesLike,
  type Optimizer,
  type Tensor,
} from 'gradstep';
import { numbers, weights } from './data';
import { eagerStep } from './eager-step';

/** A 784-256-10 perceptron and a batch. */
function model(batch = 64) {
  const w1 = variable(weights(784 * 256, 7, 0.125), { shape: [784, 256] });
  const b1 = variable(new Float32Array(256));
  const w2 = variable(weights(256 * 10, 7, 0.25), { shape: [256, 10] });
  const b2 = variable(new Float32Array(10));
  return {
    x: tensor(numbers(batch * 784, 11, 1), [batch, 784]),
    labels: Int32Array.from({ length: batch }, (_, i) => i % 10),
    loss: (x: Tensor, labels: IndicesLike): Tensor => {
      const logits = ops.xwPlusB(ops.reluLayer(x, w1, b1), w2, b2);
      return ops.reduceMean(ops.sparseSoftmaxCrossEntropyWithLogits(labels, logits));
    },
  };
}

/** One training step of it, op by op. @returns the loss. */
export function mnistStep(): () => number {
  const { x, labels, loss } = model();
  return eagerStep(() => loss(x, labels));
}

/** The same step, compiled. */
export function compiledMnistStep(batch = 64, optimizer: Optimizer = new AdamOptimizer()): () => number {
  const { x, labels, loss } = model(batch);
  const step = compileStep({
    inputs: { x: { shape: [batch, 784] }, labels: { shape: [batch], dtype: 'int32' } },
    loss: (inputs) => loss(inputs.x, inputs.labels),
    optimizer,
    globalStep: createGlobalStep(),
    clip: { globalNorm: 1 },
  });
  return () => step.runSync({ x, labels }).loss;
}
