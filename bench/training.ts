import { compileStep, GradientDescentOptimizer, type Tensor } from 'gradstep';
import { timed } from './harness';
import type { Side } from './sides';

/** Steps of gradient descent on a loss of variables, compiled; its result are the last losses. */
export function trainingSide(name: string, loss: () => Tensor, learningRate: number): Side {
  const step = compileStep({ inputs: {}, loss, optimizer: new GradientDescentOptimizer({ learningRate }) });
  let losses: number[] = [];
  return {
    ...timed(name, () => void (losses = [...losses.slice(-2), step.runSync({}).loss])),
    result: () => losses,
  };
}
