import * as library from 'gradstep'; // the classes of the caller's objects
import { shown } from '../checks';
import { isFloatArray, kindOf } from '../tensor/arrays';
import { isFloat, type FloatArray } from '../tensor/dtype';
import type { IndexedSlices } from '../tensor/indexed-slices';
import { aliasOfGiven, type Tensor } from '../tensor/tensor';
import type { Variable } from '../tensor/variable';

/** What a histogram can be made of: of IndexedSlices the stored rows count. */
export type HistogramInput = Tensor | Variable | IndexedSlices | FloatArray | WholeNumbers | readonly number[];

/** Arrays of whole numbers that a number holds exactly. */
export type WholeNumbers =
  Int8Array | Uint8Array | Uint8ClampedArray | Int16Array | Uint16Array | Int32Array | Uint32Array;

/** Numbers of a given kind, which lie in one piece. */
export type Values = Pick<Tensor, 'dtype' | 'size' | 'factor' | 'memory' | 'data'>;

const isWholeNumbers = (value: unknown): value is WholeNumbers => /^U?[Ii]nt(8|16|32)/.test(kindOf(value) ?? '');

/** @throws TypeError for what has no numbers. */
export function valuesOf(name: string, input: unknown): Values {
  if (input instanceof library.Tensor) {
    return isFloat(input.dtype) ? (input as Tensor) : aliasOfGiven(Float64Array.from(input.data));
  }
  if (input instanceof library.Variable) return input.value;
  if (input instanceof library.IndexedSlices) return input.values;
  if (isFloatArray(input)) return aliasOfGiven(input);
  if (isWholeNumbers(input)) return aliasOfGiven(Float64Array.from(input));
  if (Array.isArray(input)) return aliasOfGiven(Float64Array.from(input, (value) => numberIn(name, value)));
  throw new TypeError(
    `${name} must be a Tensor, Variable, IndexedSlices, typed array or array of numbers, got ${shown(input)}`,
  );
}

function numberIn(name: string, value: unknown): number {
  if (typeof value !== 'number') throw new TypeError(`${name} must hold numbers, got ${shown(value)}`);
  return value;
}

/** What a scalar can be. */
export type ScalarInput = number | Tensor | Variable;

/** @throws TypeError for another kind, RangeError for several elements. */
export function scalarOf(name: string, input: unknown): number {
  if (input instanceof library.Tensor) return Number(input.item());
  if (input instanceof library.Variable) return input.item();
  if (typeof input !== 'number') {
    throw new TypeError(`${name} must be a number, or a Tensor or Variable with one element, got ${shown(input)}`);
  }
  return input;
}
