// The model: what to change first. Workers train it, and the event loop asks it.
import { AdamOptimizer, ops, RandomGenerator, variable, type GlobalStep, type Tensor, type Variable } from 'gradstep';

export const name = 'MNIST 784-256-10';
/** Numbers of an example, each from 0 to 1: the pixels of 28 x 28, row by row. */
export const inputSize = 784;
export const classCount = 10;
const hidden = 256;

/** Steps until the learning rate is what was asked for: Adam's first ones, of gradients it has not averaged yet, are long. */
const warmUp = 100;

/** The weights that a new run starts from. */
export function createVariables(seed: number): Variable[] {
  const random = new RandomGenerator(seed);
  const dense = (layer: string, inputs: number, outputs: number): Variable[] => {
    const limit = Math.sqrt(6 / (inputs + outputs)); // Glorot & Bengio 2010
    const kernel = random.uniform([inputs, outputs], { low: -limit, high: limit });
    return [
      variable(kernel, { name: `${layer}/kernel` }),
      variable(new Float32Array(outputs), { name: `${layer}/bias` }),
    ];
  };
  return [...dense('hidden', inputSize, hidden), ...dense('classes', hidden, classCount)];
}

/** What the model says of each row of x, before softmax: [rows, classCount]. */
export function logits([kernel, bias, kernel2, bias2]: readonly Variable[], x: Tensor): Tensor {
  return ops.xwPlusB(ops.reluLayer(x, kernel!, bias!), kernel2!, bias2!);
}

export const learningRateAt = (step: number, rate: number): number => rate * Math.min(1, (step + 1) / warmUp);

export const betas = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };

/** Every thread makes one of its own; they have one state. */
export function createOptimizer(rate: number, globalStep: GlobalStep): AdamOptimizer {
  return new AdamOptimizer({ learningRate: () => learningRateAt(globalStep.value, rate), ...betas });
}
