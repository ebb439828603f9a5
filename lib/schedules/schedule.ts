import { checkNumber, checkRange, isFinitePositive, isNotNegative, shown } from '../checks';

/**
 * A hyperparameter: a number, or a function that is asked for it at every step.
 *
 * The schedules of this package have no state: they are functions of the step, noise included. State that a function of
 * yours keeps, a generator given as `random` for one, is yours to save.
 */
export type Schedule = number | (() => number);

/** What a hyperparameter may be. */
export interface Domain {
  readonly expected: string;
  readonly holds: (value: number) => boolean;
}

export const notNegative: Domain = { expected: 'finite and not negative', holds: isNotNegative };
export const positive: Domain = { expected: 'finite and positive', holds: isFinitePositive };
export const notPositive: Domain = { expected: 'finite and not positive', holds: (x) => x <= 0 && x > -Infinity };
export const decayRate: Domain = { expected: 'in [0, 1)', holds: (x) => x >= 0 && x < 1 };
export const fraction: Domain = { expected: 'in [0, 1]', holds: (x) => x >= 0 && x <= 1 };
export const finite: Domain = { expected: 'finite', holds: (x) => Number.isFinite(x) };

/**
 * This step's value of a hyperparameter.
 * @throws TypeError for no number, RangeError for one outside its domain.
 */
export function valueOf(name: string, schedule: Schedule, domain: Domain): number {
  const value: unknown = typeof schedule === 'function' ? schedule() : schedule;
  checkRange(name, value, domain.expected, domain.holds);
  return value;
}

/** What can be known before the first step: a number must be right now, a function is asked later. */
export function checkSchedule(name: string, schedule: unknown, domain: Domain): void {
  if (typeof schedule === 'function') return;
  if (schedule === undefined) throw new TypeError(`${name} is required: a number or a function, got undefined`);
  if (typeof schedule !== 'number') {
    throw new TypeError(`${name} must be a number or a function that returns one, got ${shown(schedule)}`);
  }
  checkNumber(name, schedule);
  checkRange(name, schedule, domain.expected, domain.holds);
}

/** What an optimizer says about one of its hyperparameters. */
export interface Hyperparameter {
  readonly domain: Domain;
  /** Its value where none is given; without one it is required. */
  readonly initial?: number;
}

/** One entry for each of an optimizer's hyperparameters. */
export type Hyperparameters<H> = { readonly [K in keyof H]-?: Hyperparameter };

export const required = (domain: Domain): Hyperparameter => ({ domain });
export const optional = (initial: number, domain: Domain): Hyperparameter => ({ domain, initial });
