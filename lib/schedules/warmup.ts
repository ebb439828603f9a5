import type { NamesOf } from '../options';
import { finite, type Schedule } from './schedule';
import { checkDecay, checkValue, decayNames, rateOf, stepOf, type DecayOptions, type StepSource } from './step-source';

export interface LinearWarmupOptions extends DecayOptions {
  /** The fraction of the learning rate at step 0. Default: 0. */
  startFactor?: number;
}

const names: NamesOf<LinearWarmupOptions> = { ...decayNames, startFactor: true };

/**
 * A learning rate that is reached in a straight line: lr · (startFactor + (1 − startFactor) · s / warmupSteps), with
 * s = min(step, warmupSteps). Afterwards it is lr, which may be a schedule of its own.
 *
 * @param learningRate lr, a number or a function that is asked at every step.
 * @returns a function that gives the rate at the present step.
 * @throws TypeError for a wrong kind, RangeError unless warmupSteps is finite and positive and the rest finite.
 * Source: "Accurate, large minibatch SGD" (Goyal et al., 2017); `torch.optim.lr_scheduler.LinearLR`.
 * @example
 * const globalStep = createGlobalStep();
 * const learningRate = linearWarmup(cosineDecay(6e-4, globalStep, 10_000), globalStep, 200);
 * const optimizer = new AdamWOptimizer({ learningRate });
 */
export function linearWarmup(
  learningRate: Schedule,
  globalStep: StepSource,
  warmupSteps: number,
  options: LinearWarmupOptions = {},
): () => number {
  checkDecay(learningRate, globalStep, 'warmupSteps', warmupSteps, options, names);
  const { startFactor = 0 } = options;
  checkValue('startFactor', startFactor, finite);
  return () => {
    const s = Math.min(stepOf(globalStep), warmupSteps);
    return s === warmupSteps
      ? rateOf(learningRate)
      : rateOf(learningRate) * (startFactor + ((1 - startFactor) * s) / warmupSteps);
  };
}
