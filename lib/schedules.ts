import { checkBoolean, checkFunction, checkNumber, checkOptions, checkRange, isFinitePositive, shown } from './checks';
import { GlobalStep } from './global-step';
import { checkSchedule, finite, notNegative, valueOf, type Domain, type Schedule } from './optimizers/hyper';
import { gaussian } from './gaussian';

// Learning rates that follow the step. Each function returns one without arguments that gives the rate at the moment:
// hand it to an optimizer as its learningRate. All is computed in double precision, where TensorFlow rounds every
// operation to float32, the step included.

/** What tells the step: a counter, a function that is asked for it, or a fixed number. */
export type StepSource = GlobalStep | number | (() => number);

export interface DecayOptions {
  /** Accepted for TensorFlow's sake. */
  name?: string;
}

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

export interface CosineDecayOptions extends DecayOptions {
  /** The fraction of the learning rate that remains at the end. Default: 0. */
  alpha?: number;
}

export interface CosineDecayRestartsOptions extends CosineDecayOptions {
  /** How much longer each cycle is than the one before; at least 1. Default: 2. */
  tMul?: number;
  /** How much higher each cycle starts than the one before. Default: 1. */
  mMul?: number;
}

export interface LinearCosineDecayOptions extends DecayOptions {
  /** Cosine periods in decaySteps. Default: 0.5. */
  numPeriods?: number;
  /** Default: 0. */
  alpha?: number;
  /** Default: 0.001. */
  beta?: number;
}

export interface NoisyLinearCosineDecayOptions extends LinearCosineDecayOptions {
  /** The variance of the noise at step 0. Default: 1. */
  initialVariance?: number;
  /** How fast the variance falls. Default: 0.55. */
  varianceDecay?: number;
  /** The noise is a function of seed and step. Default: 0. */
  seed?: number;
  /** Gives standard normal numbers, in place of the noise by seed and step. */
  random?: () => number;
}

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
  checkDecay(learningRate, globalStep, 'decaySteps', decaySteps, options);
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
  checkDecay(learningRate, globalStep, 'decaySteps', decaySteps, options);
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

/**
 * lr · ((1 − alpha) · ½ (1 + cos(π s / decaySteps)) + alpha), with s = min(step, decaySteps).
 *
 * @throws as exponentialDecay.
 * Source: `tf.train.cosine_decay`; Loshchilov & Hutter 2016.
 */
export function cosineDecay(
  learningRate: Schedule,
  globalStep: StepSource,
  decaySteps: number,
  options: CosineDecayOptions = {},
): () => number {
  checkDecay(learningRate, globalStep, 'decaySteps', decaySteps, options);
  const { alpha = 0 } = options;
  checkValue('alpha', alpha, finite);
  return () => {
    const fraction = Math.min(stepOf(globalStep) / decaySteps, 1);
    return rateOf(learningRate) * ((1 - alpha) * halfCosine(fraction) + alpha);
  };
}

/**
 * Cosine decay in cycles: cycle i takes firstDecaySteps · tMulⁱ steps and starts at lr · mMulⁱ:
 * lr · ((1 − alpha) · ½ mMulⁱ (1 + cos(π f)) + alpha), with f the part of the cycle that is over.
 *
 * A cycle starts at exactly the step it should, which TensorFlow's logarithms can miss by one.
 *
 * @throws as cosineDecay; tMul is at least 1, mMul finite and not negative.
 * Source: `tf.train.cosine_decay_restarts`; Loshchilov & Hutter 2016 (SGDR).
 */
export function cosineDecayRestarts(
  learningRate: Schedule,
  globalStep: StepSource,
  firstDecaySteps: number,
  options: CosineDecayRestartsOptions = {},
): () => number {
  checkDecay(learningRate, globalStep, 'firstDecaySteps', firstDecaySteps, options);
  const { tMul = 2, mMul = 1, alpha = 0 } = options;
  checkValue('tMul', tMul, { expected: 'finite and at least 1', holds: (x) => x >= 1 && x < Infinity });
  checkValue('mMul', mMul, notNegative);
  checkValue('alpha', alpha, finite);
  return () => {
    const { index, fraction } = cycleAt(stepOf(globalStep), firstDecaySteps, tMul);
    return rateOf(learningRate) * ((1 - alpha) * mMul ** index * halfCosine(fraction) + alpha);
  };
}

function cycleAt(step: number, first: number, tMul: number): { index: number; fraction: number } {
  if (tMul === 1) {
    const index = Math.floor(step / first);
    return { index, fraction: (step - index * first) / first };
  }
  // A start that only rounding keeps from a whole step is that step.
  const startOf = (i: number): number => {
    const start = (first * (tMul ** i - 1)) / (tMul - 1);
    const whole = Math.round(start);
    return Math.abs(start - whole) <= 1e-9 * whole ? whole : start;
  };
  // The logarithm is right but for rounding: one cycle too early or too late.
  let index = Math.floor(Math.log1p((step / first) * (tMul - 1)) / Math.log(tMul)) + 1;
  for (let tries = 0; tries < 2 && index > 0 && step < startOf(index); tries++) index--;
  const start = startOf(index);
  return { index, fraction: (step - start) / (startOf(index + 1) - start) };
}

/**
 * lr · ((alpha + linear) · cosine + beta), with s = min(step, decaySteps), linear = 1 − s / decaySteps and
 * cosine = ½ (1 + cos(2π numPeriods · s / decaySteps)).
 *
 * @throws as exponentialDecay.
 * Source: `tf.train.linear_cosine_decay`; Bello et al. 2017.
 */
export function linearCosineDecay(
  learningRate: Schedule,
  globalStep: StepSource,
  decaySteps: number,
  options: LinearCosineDecayOptions = {},
): () => number {
  return linearCosine(learningRate, globalStep, decaySteps, options, () => 0);
}

/**
 * Linear cosine decay with noise: lr · ((alpha + linear + ε) · cosine + beta), but not below 0, with ε normal of
 * variance initialVariance / (1 + s)^varianceDecay.
 *
 * The noise is a function of seed and step: asking twice in one step gives one answer, and training that is resumed
 * goes on as it would have. Below 0, where TensorFlow would climb for a step, the rate is 0.
 *
 * @throws as linearCosineDecay; initialVariance is finite and not negative, varianceDecay finite, seed a whole number.
 * Source: `tf.train.noisy_linear_cosine_decay`; Bello et al. 2017.
 */
export function noisyLinearCosineDecay(
  learningRate: Schedule,
  globalStep: StepSource,
  decaySteps: number,
  options: NoisyLinearCosineDecayOptions = {},
): () => number {
  checkDecayOptions(options);
  const { initialVariance = 1, varianceDecay = 0.55, seed = 0, random } = options;
  checkValue('initialVariance', initialVariance, notNegative);
  checkValue('varianceDecay', varianceDecay, finite);
  checkValue('seed', seed, { expected: 'a whole number', holds: Number.isSafeInteger });
  if (random !== undefined) checkFunction('random', random);
  const normal = (step: number): number => {
    if (random === undefined) return gaussian(seed, step);
    const value: unknown = random();
    checkValue('random()', value, finite);
    return value;
  };
  const noise = (step: number, s: number): number =>
    normal(step) * Math.sqrt(initialVariance / (1 + s) ** varianceDecay);
  const rate = linearCosine(learningRate, globalStep, decaySteps, options, noise);
  return () => Math.max(rate(), 0);
}

function linearCosine(
  learningRate: Schedule,
  globalStep: StepSource,
  decaySteps: number,
  options: LinearCosineDecayOptions,
  noise: (step: number, s: number) => number,
): () => number {
  checkDecay(learningRate, globalStep, 'decaySteps', decaySteps, options);
  const { numPeriods = 0.5, alpha = 0, beta = 1e-3 } = options;
  checkValue('numPeriods', numPeriods, finite);
  checkValue('alpha', alpha, finite);
  checkValue('beta', beta, finite);
  return () => {
    const step = stepOf(globalStep);
    const s = Math.min(step, decaySteps);
    const linear = (decaySteps - s) / decaySteps + noise(step, s);
    return rateOf(learningRate) * ((alpha + linear) * halfCosine((2 * numPeriods * s) / decaySteps) + beta);
  };
}

/** From 1 at 0 to 0 at 1. */
const halfCosine = (fraction: number): number => 0.5 * (1 + Math.cos(Math.PI * fraction));

const rateOf = (learningRate: Schedule): number => valueOf('learningRate', learningRate, finite);

/** @internal The step at the moment. @throws TypeError or RangeError when a function gives what is none. */
export function stepOf(source: StepSource, domain: Domain = notNegative, name = 'globalStep'): number {
  return source instanceof GlobalStep ? source.value : valueOf(name, source, domain);
}

/** @internal @throws TypeError or RangeError for what cannot tell a step. */
export function checkStep(source: unknown, domain: Domain = notNegative, name = 'globalStep'): void {
  if (source instanceof GlobalStep || typeof source === 'function') return;
  if (typeof source !== 'number') {
    throw new TypeError(`${name} must be a GlobalStep, a number or a function, got ${shown(source)}`);
  }
  checkValue(name, source, domain);
}

function checkDecay(learningRate: unknown, globalStep: unknown, name: string, steps: unknown, options: unknown): void {
  checkSchedule('learningRate', learningRate, finite);
  checkStep(globalStep);
  checkRange(name, steps, 'finite and positive', isFinitePositive);
  checkDecayOptions(options);
}

function checkDecayOptions(options: unknown): void {
  checkOptions('options', options);
  const { name } = options as DecayOptions;
  if (name !== undefined && typeof name !== 'string') throw new TypeError(`name must be a string, got ${shown(name)}`);
}

function checkValue(name: string, value: unknown, { expected, holds }: Domain): asserts value is number {
  checkRange(name, value, expected, holds);
}

function checkNumbers(name: string, values: unknown): void {
  if (!Array.isArray(values)) throw new TypeError(`${name} must be an array of numbers, got ${shown(values)}`);
  for (const value of values as unknown[]) {
    checkNumber(`every element of ${name}`, value);
    checkValue(`every element of ${name}`, value, finite);
  }
}
