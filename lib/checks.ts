import type { DType, TensorDType } from './tensor/dtype';

/** A value as an error message shows it: short, and never throwing on what it is shown. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}...` : value);
  if (typeof value === 'function') return 'a function';
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'object' && value !== null) {
    try {
      const name = (value as { constructor?: { name?: unknown } }).constructor?.name;
      return typeof name === 'string' && name !== '' ? `${/^[AEIOU]/.test(name) ? 'an' : 'a'} ${name}` : 'an object';
    } catch {
      return 'an object';
    }
  }
  return Object.is(value, -0) ? '-0' : String(value);
}

/** @throws TypeError unless `value` is a number (NaN and infinities are). */
export function checkNumber(name: string, value: unknown): asserts value is number {
  if (typeof value !== 'number') throw new TypeError(`${name} must be a number, got ${shown(value)}`);
}

/** @throws TypeError for no number, RangeError unless `holds(value)`, with `expected` saying what does. */
export function checkRange(
  name: string,
  value: unknown,
  expected: string,
  holds: (value: number) => boolean,
): asserts value is number {
  checkNumber(name, value);
  if (!holds(value)) throw new RangeError(`${name} must be ${expected}, got ${shown(value)}`);
}

/** @throws TypeError for no number, RangeError unless it is a whole number above 0. */
export function checkCount(name: string, value: unknown): asserts value is number {
  checkRange(name, value, 'a whole number above 0', (number) => isWhole(number) && number > 0);
}

export function checkBoolean(name: string, value: unknown): asserts value is boolean {
  if (typeof value !== 'boolean') throw new TypeError(`${name} must be a boolean, got ${shown(value)}`);
}

export function checkFunction(name: string, value: unknown): void {
  if (typeof value !== 'function') throw new TypeError(`${name} must be a function, got ${shown(value)}`);
}

export function checkDType(name: string, value: unknown): asserts value is DType {
  if (value === 'float32' || value === 'float64') return;
  const meant = meantDType(value);
  const hint = meant?.startsWith('float') === true ? `: write '${meant}'` : '';
  throw new TypeError(`${name} must be 'float32' or 'float64', got ${shown(value)}${hint}`);
}

// What types are called elsewhere.
const dtypeNames: Readonly<Record<string, TensorDType>> = {
  float: 'float32',
  f32: 'float32',
  single: 'float32',
  double: 'float64',
  f64: 'float64',
  int: 'int32',
  i32: 'int32',
  int64: 'int32',
  long: 'int32',
  boolean: 'bool',
};

const meantDType = (value: unknown): TensorDType | undefined =>
  typeof value === 'string' ? dtypeNames[value.toLowerCase().replace(/^(tf|torch)\./, '')] : undefined;

export function checkTensorDType(name: string, value: unknown): asserts value is TensorDType {
  if (value === 'int32' || value === 'bool' || value === 'float32' || value === 'float64') return;
  const meant = meantDType(value);
  const hint = meant === undefined ? '' : `: write '${meant}'`;
  throw new TypeError(`${name} must be 'float32', 'float64', 'int32' or 'bool', got ${shown(value)}${hint}`);
}

export const isWhole = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;
export const isFinitePositive = (value: number): boolean => value > 0 && value < Infinity;
export const isNotNegative = (value: number): boolean => value >= 0 && value < Infinity;

export const isIterable = (value: unknown): value is Iterable<unknown> =>
  typeof (value as Partial<Iterable<unknown>> | null | undefined)?.[Symbol.iterator] === 'function';

/** What an error says, with its kind. */
export function saidBy(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return `${error.name}: ${error.message}`;
}
