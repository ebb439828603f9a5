import type { Names, NamesOf } from '../options';
import { checkFunction } from '../checks';
import { gaussian } from './gaussian';
import { finite, notNegative, type Schedule } from './schedule';
import {
  checkDecay,
  checkDecayOptions,
  decayNames,
  checkValue,
  rateOf,
  stepOf,
  type DecayOptions,
  type StepSource,
} from './step-source';

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

const alphaNames: NamesOf<CosineDecayOptions> = { ...decayNames, alpha: true };
const restartNames: NamesOf<CosineDecayRestartsOptions> = { ...alphaNames, tMul: true, mMul: true };
const linearNames: NamesOf<LinearCosineDecayOptions> = { ...alphaNames, numPeriods: true, beta: true };
const noisyNames: NamesOf<NoisyLinearCosineDecayOptions> = {
  ...linearNames,
  initialVariance: true,
  varianceDecay: true,
  seed: true,
  random: true,
};

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
  checkDecay(learningRate, globalStep, 'decaySteps', decaySteps, options, alphaNames);
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
  checkDecay(learningRate, globalStep, 'firstDecaySteps', firstDecaySteps, options, restartNames);
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
  return linearCosine(learningRate, globalStep, decaySteps, options, () => 0, linearNames);
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
  checkDecayOptions(options, noisyNames);
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
  const rate = linearCosine(learningRate, globalStep, decaySteps, options, noise, noisyNames);
  return () => Math.max(rate(), 0);
}

function linearCosine(
  learningRate: Schedule,
  globalStep: StepSource,
  decaySteps: number,
  options: LinearCosineDecayOptions,
  noise: (step: number, s: number) => number,
  names: Names,
): () => number {
  checkDecay(learningRate, globalStep, 'decaySteps', decaySteps, options, names);
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
