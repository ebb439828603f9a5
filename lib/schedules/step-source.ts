import { checkOptions, type Names, type NamesOf } from '../options';
import { checkRange, isFinitePositive, shown } from '../checks';
import { GlobalStep } from '../tensor/global-step';
import { checkSchedule, finite, notNegative, valueOf, type Domain, type Schedule } from './schedule';

/** What tells the step: a counter, a function that is asked for it, or a fixed number. */
export type StepSource = GlobalStep | number | (() => number);

export interface DecayOptions {
  /** Accepted for TensorFlow's sake. */
  name?: string;
}

export const decayNames: NamesOf<DecayOptions> = { name: true };

/** The learning rate to decay, at the moment. */
export const rateOf = (learningRate: Schedule): number => valueOf('learningRate', learningRate, finite);

/** The step at the moment. @throws TypeError or RangeError when a function gives what is none. */
export function stepOf(source: StepSource, domain: Domain = notNegative, name = 'globalStep'): number {
  return source instanceof GlobalStep ? source.value : valueOf(name, source, domain);
}

/** @throws TypeError or RangeError for what cannot tell a step. */
export function checkStep(source: unknown, domain: Domain = notNegative, name = 'globalStep'): void {
  if (source instanceof GlobalStep || typeof source === 'function') return;
  if (typeof source !== 'number') {
    throw new TypeError(`${name} must be a GlobalStep, a number or a function, got ${shown(source)}`);
  }
  checkValue(name, source, domain);
}

export function checkDecay(
  learningRate: unknown,
  globalStep: unknown,
  name: string,
  steps: unknown,
  options: unknown,
  names: Names = decayNames,
): void {
  checkSchedule('learningRate', learningRate, finite);
  checkStep(globalStep);
  checkRange(name, steps, 'finite and positive', isFinitePositive);
  checkDecayOptions(options, names);
}

export function checkDecayOptions(options: unknown, names: Names = decayNames): void {
  checkOptions('options', options, names);
  const { name } = options as DecayOptions;
  if (name !== undefined && typeof name !== 'string') throw new TypeError(`name must be a string, got ${shown(name)}`);
}

export function checkValue(name: string, value: unknown, { expected, holds }: Domain): asserts value is number {
  checkRange(name, value, expected, holds);
}
