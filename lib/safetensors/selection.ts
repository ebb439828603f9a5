import { shown } from '../checks';
import { checkOptions, type NamesOf } from '../options';
import { holds, isDType, traitsOf, type SafetensorsArray, type SafetensorsDType } from './dtypes';
import { quoted, SafetensorsError } from './error';
import type { SafetensorsInfo } from './header';
import { byteLengthOf, kindOf, lengthOf } from './memory';
import { bytesFor } from './sizes';

/** What to read of a tensor, and into what. */
export interface SafetensorsReadOptions {
  /** The dtype that the tensor must have, so that the array's class is known to the compiler. Default: any. */
  readonly dtype?: SafetensorsDType;
  /**
   * Where the elements go: an array of the tensor's class and of its size, over an ArrayBuffer or a SharedArrayBuffer, or a
   * Uint8Array for its bytes. Default: a new array.
   */
  readonly into?: SafetensorsArray;
  /** `[begin, end)` of the first dimension, to read only these rows. Default: all. */
  readonly rows?: readonly [begin: number, end: number];
}

/** `into` and `rows` as for `read`; what is read into is of the type that is asked for. */
export interface SafetensorsFloatOptions {
  /** Where the numbers go, as many as are read. Default: a new array. */
  readonly into?: Float32Array;
  /** `[begin, end)` of the first dimension, to read only these rows. Default: all. */
  readonly rows?: readonly [begin: number, end: number];
}

const readOptions: NamesOf<SafetensorsReadOptions> = { dtype: true, into: true, rows: true };
const floatOptions: NamesOf<SafetensorsFloatOptions> = { into: true, rows: true };

/** A part of a file's bytes that elements of one dtype fill. */
export interface Selection {
  readonly name: string;
  readonly dtype: SafetensorsDType;
  /** From the start of the file. */
  readonly byteOffset: number;
  readonly byteLength: number;
  /** Elements of the array that it is read into. */
  readonly length: number;
}

/** @throws SafetensorsError when there is no tensor of this name, or it has another dtype; see `selected` for others. */
export function select(
  tensors: ReadonlyMap<string, SafetensorsInfo>,
  name: string,
  options: SafetensorsReadOptions,
): Selection {
  checkOptions('options', options, readOptions);
  const info = infoOf(tensors, name);
  const { dtype, into } = options;
  if (dtype !== undefined && !isDType(dtype))
    throw new TypeError(`dtype must be one of the format, got ${shown(dtype)}`);
  if (dtype !== undefined && dtype !== info.dtype) {
    throw new SafetensorsError('wrong-dtype', `it is ${info.dtype}, not ${dtype}`, { tensor: name });
  }
  const selection = selected(info, options.rows);
  if (into !== undefined) checkInto(into, selection);
  return selection;
}

/** @throws SafetensorsError for a tensor of whose elements float32 has not all. */
export function selectFloats(
  tensors: ReadonlyMap<string, SafetensorsInfo>,
  name: string,
  options: SafetensorsFloatOptions,
): Selection {
  checkOptions('options', options, floatOptions);
  const info = infoOf(tensors, name);
  if (!['F32', 'F16', 'BF16'].includes(info.dtype)) {
    const message = `it is ${info.dtype}; F32, F16 and BF16 become float32 without loss`;
    throw new SafetensorsError('wrong-dtype', message, { tensor: name });
  }
  const selection = selected(info, options.rows);
  const { into } = options;
  if (into !== undefined && kindOf(into) !== 'Float32Array') {
    throw new TypeError(`into must be a Float32Array, got ${shown(into)}`);
  }
  if (into !== undefined) checkLength(lengthOf(into), selection.length, 'elements', name);
  return selection;
}

/** @throws SafetensorsError when there is no tensor of this name. */
export function infoOf(tensors: ReadonlyMap<string, SafetensorsInfo>, name: string): SafetensorsInfo {
  const info = tensors.get(name);
  if (info !== undefined) return info;
  if (typeof name !== 'string') throw new TypeError(`name must be a string, got ${shown(name)}`);
  const some: string[] = [];
  for (const other of tensors.keys()) if (some.push(quoted(other)) === 5) break;
  const all =
    some.length === 0 ? 'it has none' : `it has ${some.join(', ')}${tensors.size > some.length ? ', ...' : ''}`;
  throw new SafetensorsError('no-such-tensor', `the file has no such tensor; ${all}`, { tensor: name });
}

function selected(info: SafetensorsInfo, rows: readonly [number, number] | undefined): Selection {
  const { name, dtype, shape, size, byteLength, byteOffset } = info;
  if (rows === undefined) return { name, dtype, byteOffset, byteLength, length: arrayLength(byteLength, dtype) };
  checkRows(rows, info);
  const rowSize = shape[0] === 0 ? 0 : size / shape[0]!;
  const skipped = bytesFor(rows[0] * rowSize, dtype);
  const taken = bytesFor((rows[1] - rows[0]) * rowSize, dtype);
  if (skipped === undefined || taken === undefined) {
    throw new RangeError(`rows must be whole bytes of tensor ${quoted(name)}: [${rows.join(', ')}) are not`);
  }
  return { name, dtype, byteOffset: byteOffset + skipped, byteLength: taken, length: arrayLength(taken, dtype) };
}

function checkRows(rows: readonly [number, number], { name, shape }: SafetensorsInfo): void {
  if (!Array.isArray(rows) || rows.length !== 2) throw new TypeError(`rows must be [begin, end], got ${shown(rows)}`);
  const [begin, end] = rows;
  if (shape.length === 0) throw new RangeError(`rows: tensor ${quoted(name)} is a scalar, it has none`);
  const isWhole = Number.isSafeInteger(begin) && Number.isSafeInteger(end);
  if (!isWhole || begin < 0 || end < begin || end > shape[0]!) {
    const got = `[${shown(begin)}, ${shown(end)}]`;
    throw new RangeError(`rows must be in order and within the ${shape[0]} of tensor ${quoted(name)}, got ${got}`);
  }
}

const arrayLength = (bytes: number, dtype: SafetensorsDType): number => bytes / traitsOf(dtype).Array.BYTES_PER_ELEMENT;

function checkInto(into: SafetensorsArray, { name, dtype, byteLength, length }: Selection): void {
  const kind = kindOf(into);
  if (kind === 'Uint8Array') return checkLength(byteLengthOf(into), byteLength, 'bytes', name);
  if (kind === undefined || !holds(kind, dtype)) {
    const { name: right } = traitsOf(dtype).Array;
    throw new TypeError(`into must be of ${right} or Uint8Array for tensor ${quoted(name)}, got ${shown(into)}`);
  }
  checkLength(lengthOf(into), length, 'elements', name);
}

function checkLength(length: number, expected: number, what: string, name: string): void {
  if (length !== expected) {
    throw new RangeError(`into must have ${expected} ${what} for tensor ${quoted(name)}, got ${length}`);
  }
}

/** A new array for a selection. */
export function newArray({ dtype, length }: Selection): SafetensorsArray {
  return new (traitsOf(dtype).Array)(length);
}
