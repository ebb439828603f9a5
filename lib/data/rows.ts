import { shown } from '../checks';

/** What columns of a dataset lie in. */
export type Column = Float32Array | Float64Array | Int32Array | Uint8Array;

/** Columns by their names, all of as many rows. */
export type Columns = Readonly<Record<string, Column>>;

/** One example: a number, or as many as an array has, for each name. */
export type Row = Readonly<Record<string, Column | number>>;

const classes = [Float32Array, Float64Array, Int32Array, Uint8Array] as const;

/** The class of a column's array. @throws TypeError for another one. */
export function classOf(name: string, column: unknown): (typeof classes)[number] {
  const found = classes.find((one) => column instanceof one);
  if (found !== undefined) return found;
  const hint = shown(column) === 'a Tensor' ? ': its data is one' : '';
  throw new TypeError(
    `${name} must be a Float32Array, Float64Array, Int32Array or Uint8Array, got ${shown(column)}${hint}`,
  );
}

/** @throws TypeError unless it is an object, RangeError for one without names. */
export function namesOf(what: string, object: unknown): string[] {
  if (typeof object !== 'object' || object === null || Array.isArray(object) || ArrayBuffer.isView(object)) {
    throw new TypeError(`${what} must be an object of arrays by name, got ${shown(object)}`);
  }
  const names = Object.keys(object);
  if (names.length === 0) throw new RangeError(`${what} must have at least one array`);
  return names;
}
