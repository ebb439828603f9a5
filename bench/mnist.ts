import { AdamOptimizer, clipByGlobalNorm, createGlobalStep, ops, tensor, variable } from 'gradstep';
import { numbers, weights } from './data';

/** One training step of a 784-256-10 perceptron, batch 64: forward, backward, clip by global norm, Adam. @returns the loss. */
export function mnistStep(): () => number {
  const x = tensor(numbers(64 * 784, 11, 1), [64, 784]);
  const labels = Int32Array.from({ length: 64 }, (_, i) => i % 10);
  const w1 = variable(weights(784 * 256, 7, 0.125), { shape: [784, 256] });
  const b1 = variable(new Float32Array(256));
  const w2 = variable(weights(256 * 10, 7, 0.25), { shape: [256, 10] });
  const b2 = variable(new Float32Array(10));
  const optimizer = new AdamOptimizer();
  const globalStep = createGlobalStep();
  const loss = () => {
    const logits = ops.xwPlusB(ops.reluLayer(x, w1, b1), w2, b2);
    return ops.reduceMean(ops.sparseSoftmaxCrossEntropyWithLogits(labels, logits));
  };
  return () => {
    const gradsAndVars = optimizer.computeGradients(loss);
    const [clipped] = clipByGlobalNorm(gradsAndVars, 1);
    optimizer.applyGradients(clipped, { globalStep });
    return gradsAndVars.loss.item();
  };
}
