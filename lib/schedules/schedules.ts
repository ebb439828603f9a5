import type { NamesOf } from '../options';
import { checkBoolean, checkNumber, shown } from '../checks';
import { finite, notNegative, type Schedule } from './schedule';
import {
  checkDecay,
  checkDecayOptions,
  decayNames,
  checkStep,
  checkValue,
  rateOf,
  stepOf,
  type DecayOptions,
  type StepSource,
} from './step-source';

// Learning rates that follow the step. Each function returns one without arguments that gives the rate at the moment:
// hand it to an optimizer as its learningRate. All is computed in double precision, where TensorFlow rounds every
// operation to float32, the step included.

export interface StaircaseOptions extends DecayOptions {
  /** Decays in whole intervals: p is rounded down. Default: false. */
  staircase?: boolean;
}

export interface PolynomialDecayOptions extends DecayOptions {
  /** Default: 0.0001. */
  endLearningRate?: number;
  /** Default: 1, a straight line. */
  power?: number;
  /** Whether decaySteps is stretched to the next multiple of itself whenever the step passes it. Default: false. */
  cycle?: boolean;
}

const staircaseNames: NamesOf<StaircaseOptions> = { ...decayNames, staircase: true };
const polynomialNames: NamesOf<PolynomialDecayOptions> = {
  ...decayNames,
  endLearningRate: true,
  power: true,
  cycle: true,
};

/**
 * lr · decayRate^p, with p = step / decaySteps.
 *
 * @param learningRate lr, a number or a function that is asked at every step.
 * @param decayRate finite and not negative.
 * @returns a function that gives the rate at the present step.
 * @throws TypeError for a wrong kind, RangeError unless decaySteps is finite and positive and the rest finite.
 * Source: `tf.train.exponential_decay`.
 * @example
 * const globalStep = createGlobalStep();
 * const learningRate = exponentialDecay(0.1, globalStep, 100_000, 0.96, { staircase: true });
 * const optimizer = new GradientDescentOptimizer({ learningRate });
 */
export function exponentialDecay(
  learningRate: Schedule,
  globalStep: StepSource,
  decaySteps: number,
  decayRate: number,
  options: StaircaseOptions = {},
): () => number {
  checkValue('decayRate', decayRate, notNegative);
  return byInterval(learningRate, globalStep, decaySteps, options, (lr, p) => lr * decayRate ** p);
}

/**
 * lr · exp(−decayRate · p), with p = step / decaySteps.
 *
 * @throws as exponentialDecay; decayRate is finite.
 * Source: `tf.train.natural_exp_decay`.
 */
export function naturalExpDecay(
  learningRate: Schedule,
  globalStep: StepSource,
  decaySteps: number,
  decayRate: number,
  options: StaircaseOptions = {},
): () => number {
  checkValue('decayRate', decayRate, finite);
  return byInterval(learningRate, globalStep, decaySteps, options, (lr, p) => lr * Math.exp(-decayRate * p));
}

/**
 * lr / (1 + decayRate · p), with p = step / decaySteps.
 *
 * @throws as exponentialDecay.
 * Source: `tf.train.inverse_time_decay`.
 */
export function inverseTimeDecay(
  learningRate: Schedule,
  globalStep: StepSource,
  decaySteps: number,
  decayRate: number,
  options: StaircaseOptions = {},
): () => number {
  checkValue('decayRate', decayRate, notNegative);
  return byInterval(learningRate, globalStep, decaySteps, options, (lr, p) => lr / (1 + decayRate * p));
}

function byInterval(
  learningRate: Schedule,
  globalStep: StepSource,
  decaySteps: number,
  options: StaircaseOptions,
  rate: (lr: number, p: number) => number,
): () => number {
  checkDecay(learningRate, globalStep, 'decaySteps', decaySteps, options, staircaseNames);
  const { staircase = false } = options;
  checkBoolean('staircase', staircase);
  return () => {
    const p = stepOf(globalStep) / decaySteps;
    return rate(rateOf(learningRate), staircase ? Math.floor(p) : p);
  };
}

/**
 * (lr − end) · (1 − s / decaySteps)^power + end, with s = min(step, decaySteps). With `cycle`, s is the step and
 * decaySteps is stretched to its first multiple that s does not pass.
 *
 * @throws as exponentialDecay; power is finite and not negative.
 * Source: `tf.train.polynomial_decay`.
 */
export function polynomialDecay(
  learningRate: Schedule,
  globalStep: StepSource,
  decaySteps: number,
  options: PolynomialDecayOptions = {},
): () => number {
  checkDecay(learningRate, globalStep, 'decaySteps', decaySteps, options, polynomialNames);
  const { endLearningRate: end = 1e-4, power = 1, cycle = false } = options;
  checkValue('endLearningRate', end, finite);
  checkValue('power', power, notNegative);
  checkBoolean('cycle', cycle);
  return () => {
    const step = stepOf(globalStep);
    const last = cycle ? decaySteps * Math.max(1, Math.ceil(step / decaySteps)) : decaySteps;
    return (rateOf(learningRate) - end) * (1 - Math.min(step, last) / last) ** power + end;
  };
}

/**
 * values[0] up to and with step boundaries[0], then values[1] up to and with boundaries[1], and so on; the last value
 * after the last boundary.
 *
 * @param globalStep here also negative.
 * @throws TypeError for a wrong kind, RangeError unless there is one value more than boundaries and these increase.
 * Source: `tf.train.piecewise_constant`. Numbers have one type here, so the dtypes of TensorFlow's checks always agree.
 * @example
 * const globalStep = createGlobalStep();
 * const learningRate = piecewiseConstant(globalStep, [100_000, 110_000], [1, 0.5, 0.1]);
 */
export function piecewiseConstant(
  globalStep: StepSource,
  boundaries: readonly number[],
  values: readonly number[],
  options: DecayOptions = {},
): () => number {
  checkStep(globalStep, finite);
  checkNumbers('boundaries', boundaries);
  checkNumbers('values', values);
  checkDecayOptions(options);
  if (values.length !== boundaries.length + 1) {
    throw new RangeError(
      `values must have one element more than boundaries, got ${values.length} and ${boundaries.length}`,
    );
  }
  for (let i = 1; i < boundaries.length; i++) {
    if (boundaries[i]! > boundaries[i - 1]!) continue;
    throw new RangeError(`boundaries must increase, got ${boundaries[i - 1]}, then ${boundaries[i]}`);
  }
  const [ends, rates] = [[...boundaries], [...values]];
  return () => {
    const step = stepOf(globalStep, finite);
    const i = ends.findIndex((end) => step <= end);
    return rates[i < 0 ? ends.length : i]!;
  };
}

/** The same as `piecewiseConstant`. Source: `tf.train.piecewise_constant_decay`. */
export const piecewiseConstantDecay = piecewiseConstant;

function checkNumbers(name: string, values: unknown): void {
  if (!Array.isArray(values)) throw new TypeError(`${name} must be an array of numbers, got ${shown(values)}`);
  for (const value of values as unknown[]) {
    checkNumber(`every element of ${name}`, value);
    checkValue(`every element of ${name}`, value, finite);
  }
}
