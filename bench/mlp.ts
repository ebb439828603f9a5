import { AdamOptimizer, compileStep, createGlobalStep, ops, tensor, variable, type Tensor } from 'gradstep';
import { numbers, weights } from './data';
import { eagerStep } from './eager-step';

/** An 8-16-1 perceptron and a batch of 8. */
function model() {
  const w1 = variable(weights(8 * 16, 7, 0.5), { shape: [8, 16] });
  const b1 = variable(new Float32Array(16));
  const w2 = variable(weights(16, 7, 0.5), { shape: [16, 1] });
  const b2 = variable(new Float32Array(1));
  return {
    x: tensor(numbers(64, 11, 1), [8, 8]),
    y: tensor(numbers(8, 5, 1), [8, 1]),
    loss: (x: Tensor, y: Tensor): Tensor => {
      return ops.reduceMean(ops.square(ops.sub(ops.xwPlusB(ops.reluLayer(x, w1, b1), w2, b2), y)));
    },
  };
}

/** One training step of it, op by op. @returns the loss. */
export function mlpStep(): () => number {
  const { x, y, loss } = model();
  return eagerStep(() => loss(x, y));
}

/** The same step, compiled. */
export function compiledMlpStep(): () => number {
  const { x, y, loss } = model();
  const step = compileStep({
    inputs: { x: { shape: [8, 8] }, y: { shape: [8, 1] } },
    loss: (inputs) => loss(inputs.x, inputs.y),
    optimizer: new AdamOptimizer(),
    globalStep: createGlobalStep(),
    clip: { globalNorm: 1 },
  });
  return () => step.runSync({ x, y }).loss;
}
