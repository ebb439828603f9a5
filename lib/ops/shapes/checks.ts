import { isWhole, shown } from '../../checks';
import { normalizeAxes, showShape, type Shape } from '../../tensor/shape';

/** @throws TypeError unless `values` is an array of whole numbers, RangeError unless there are `count` of them. */
export function checkWholes(
  name: string,
  values: unknown,
  count: number,
  shape: Shape,
): asserts values is readonly number[] {
  if (!Array.isArray(values)) throw new TypeError(`${name} must be an array of whole numbers, got ${shown(values)}`);
  const stray = (values as unknown[]).find((value) => !Number.isSafeInteger(value));
  if (stray !== undefined) throw new TypeError(`${name} must hold whole numbers, got ${shown(stray)}`);
  if (values.length === count) return;
  throw new RangeError(
    `${name} has ${values.length} elements, x has shape ${showShape(shape)}: ${count} were expected`,
  );
}

/** @throws TypeError unless `value` is an array. */
export function checkList(name: string, value: unknown): asserts value is readonly unknown[] {
  if (Array.isArray(value)) return;
  const hint = name === 'values' && typeof value === 'number' ? ': an axis comes after it' : '';
  throw new TypeError(`${name} must be an array, got ${shown(value)}${hint}`);
}

/** @throws TypeError, RangeError unless `value` is a whole number that is not negative. */
export function checkCount(name: string, value: unknown): asserts value is number {
  if (typeof value !== 'number') throw new TypeError(`${name} must be a number, got ${shown(value)}`);
  if (!isWhole(value)) throw new RangeError(`${name} must be a whole number that is not negative, got ${shown(value)}`);
}

/** One dimension, as a position. */
export function positionOf(name: string, axis: unknown, rank: number): number {
  if (typeof axis !== 'number') throw new TypeError(`${name} must be a number, got ${shown(axis)}`);
  return normalizeAxes(name, axis, rank)[0]!;
}
