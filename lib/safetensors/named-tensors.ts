import { isIterable, shown } from '../checks';
import { dtypeNamed, dtypeOfKind, holds, traitsOf, type SafetensorsArray, type SafetensorsDType } from './dtypes';
import { quoted } from './error';
import { bytesFor, sizeOf } from './sizes';
import { byteLengthOf, bytesOf, kindOf, lengthOf } from './memory';

/**
 * Elements of a tensor that is to be written, or a function that gives them, which is called when their turn comes, and
 * once; it needs a shape and a dtype beside it. So a file can be written of more than fits into memory. What it gives may also
 * be the bytes of them piece by piece, each of which is used before the next is asked for.
 */
export type SafetensorsData =
  SafetensorsArray | (() => SafetensorsArray | AsyncIterable<Uint8Array> | Promise<SafetensorsArray>);

/**
 * A tensor that is to be written: a typed array, or an object with one. gradstep's tensors, variables and state are such
 * objects, so are TensorFlow.js's tensors.
 */
export type SafetensorsSource = SafetensorsArray | SafetensorsSourceObject;

/** A tensor that is to be written, with what there is to say of it. */
export type SafetensorsSourceObject = SafetensorsDescription & SafetensorsElements;

/** The elements of a tensor that is to be written, row-major, under the name that they have where they come from. */
export type SafetensorsElements =
  { readonly data: SafetensorsData } | { readonly array: SafetensorsData } | { readonly memory: SafetensorsData };

/** What a tensor that is to be written is. */
export interface SafetensorsDescription {
  /** Default: one dimension, of the array's length. */
  readonly shape?: readonly number[];
  /** By its name in the format or in NumPy (`float32`). Default: what the array's class says. */
  readonly dtype?: string;
}

/** Tensors by name: an object, a Map, or pairs. */
export type SafetensorsSources =
  Readonly<Record<string, SafetensorsSource>> | Iterable<readonly [name: string, tensor: SafetensorsSource]>;

/** A tensor that is to be written, found to be right. */
export interface NamedTensor {
  readonly name: string;
  readonly dtype: SafetensorsDType;
  readonly shape: readonly number[];
  readonly byteLength: number;
  /** Its bytes, or what will give them. */
  readonly bytes: Uint8Array | (() => Promise<Uint8Array | AsyncIterable<Uint8Array>>);
}

/** @throws TypeError and RangeError for what cannot be written, with the tensor's name. */
export function namedTensors(tensors: unknown): NamedTensor[] {
  const names = new Set<string>();
  return pairsOf(tensors).map(([name, source]) => {
    checkName(name);
    if (names.has(name)) throw new RangeError(`tensors: there are two of the name ${quoted(name)}`);
    names.add(name);
    return namedTensor(name, source);
  });
}

function pairsOf(tensors: unknown): (readonly [unknown, unknown])[] {
  if (typeof tensors !== 'object' || tensors === null || kindOf(tensors) !== undefined) {
    throw new TypeError(`tensors must be an object or a Map of them by name, got ${shown(tensors)}`);
  }
  if (!isIterable(tensors)) return Object.entries(tensors);
  return Array.from(tensors, (pair) => {
    if (!Array.isArray(pair) || pair.length !== 2)
      throw new TypeError(`tensors must be [name, tensor], got ${shown(pair)}`);
    return pair as [unknown, unknown];
  });
}

function checkName(name: unknown): asserts name is string {
  if (typeof name !== 'string') throw new TypeError(`tensors: a name must be a string, got ${shown(name)}`);
  if (name === '__metadata__')
    throw new RangeError('tensors: __metadata__ is an option, and no tensor may have this name');
  checkText(name, 'tensors: the name');
}

/** @throws RangeError for half of a surrogate pair, which UTF-8 cannot write. */
export function checkText(text: string, what: string): void {
  if (/\p{Surrogate}/u.test(text)) throw new RangeError(`${what} ${quoted(text)} has half of a surrogate pair`);
}

function namedTensor(name: string, source: unknown): NamedTensor {
  const what = `tensor ${quoted(name)}`;
  const { data, shape: givenShape, dtype: givenDType } = partsOf(source, what);
  const kind = kindOf(data);
  if (kind === undefined && typeof data !== 'function') {
    throw new TypeError(`${what} must have a typed array as data, got ${shown(data)}`);
  }
  const dtype = givenDType === undefined ? undefined : (dtypeNamed(givenDType) ?? refuseDType(what, givenDType));
  const shape = givenShape === undefined ? undefined : checkedShape(what, givenShape);
  if (kind === undefined) return later(what, name, data as () => unknown, dtype, shape);
  const array = data as SafetensorsArray;
  const own = dtype ?? dtypeOfKind(kind);
  const tensor = sized(what, name, own, shape ?? [lengthOf(array)]);
  return { ...tensor, bytes: checkedBytes(what, array, tensor) };
}

function partsOf(source: unknown, what: string): { data: unknown; shape?: unknown; dtype?: unknown } {
  if (kindOf(source) !== undefined) return { data: source };
  if (typeof source !== 'object' || source === null) {
    throw new TypeError(`${what} must be a typed array or an object with one, got ${shown(source)}`);
  }
  const { data, array, memory, shape, dtype } = source as Partial<Record<string, unknown>>;
  const found = data ?? array ?? memory;
  return { data: typeof found === 'function' ? found.bind(source) : found, shape, dtype };
}

function refuseDType(what: string, dtype: unknown): never {
  if (typeof dtype !== 'string') throw new TypeError(`${what}: dtype must be a string, got ${shown(dtype)}`);
  throw new RangeError(`${what}: there is no dtype ${shown(dtype)}`);
}

function checkedShape(what: string, shape: unknown): readonly number[] {
  if (!Array.isArray(shape)) throw new TypeError(`${what}: shape must be an array, got ${shown(shape)}`);
  for (const length of shape as unknown[]) {
    if (typeof length !== 'number') throw new TypeError(`${what}: shape must have numbers, got ${shown(length)}`);
    if (!Number.isSafeInteger(length) || length < 0) {
      throw new RangeError(`${what}: shape must have whole numbers from 0, got ${shown(length)}`);
    }
  }
  return Array.from(shape as number[], (length) => length + 0);
}

function sized(
  what: string,
  name: string,
  dtype: SafetensorsDType,
  shape: readonly number[],
): Omit<NamedTensor, 'bytes'> {
  const size = sizeOf(shape);
  if (size === undefined) throw new RangeError(`${what}: a shape of [${shape.join()}] has too many elements`);
  const byteLength = bytesFor(size, dtype);
  if (byteLength === undefined) throw new RangeError(`${what}: [${shape.join()}] of ${dtype} fill no whole bytes`);
  return { name, dtype, shape, byteLength };
}

function later(
  what: string,
  name: string,
  data: () => unknown,
  dtype: SafetensorsDType | undefined,
  shape: readonly number[] | undefined,
): NamedTensor {
  if (dtype === undefined || shape === undefined) {
    throw new TypeError(`${what}: a function as data needs a shape and a dtype beside it`);
  }
  const tensor = sized(what, name, dtype, shape);
  return {
    ...tensor,
    bytes: async () => {
      const given = await data();
      return isPieces(given) ? checkedPieces(what, given, tensor) : checkedBytes(what, given, tensor);
    },
  };
}

const isPieces = (given: unknown): given is AsyncIterable<unknown> =>
  typeof given === 'object' && given !== null && Symbol.asyncIterator in given;

/** The pieces of the bytes of a tensor, which together must be all of it. */
async function* checkedPieces(
  what: string,
  pieces: AsyncIterable<unknown>,
  { dtype, byteLength, shape }: Omit<NamedTensor, 'bytes'>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let bytes = 0;
  const expected = `${what}: [${shape.join()}] of ${dtype} are ${byteLength} bytes`;
  for await (const piece of pieces) {
    if (kindOf(piece) !== 'Uint8Array')
      throw new TypeError(`${what}: a piece must be a Uint8Array, got ${shown(piece)}`);
    bytes += byteLengthOf(piece);
    if (bytes > byteLength) throw new RangeError(`${expected}, got pieces of more`);
    yield bytesOf(piece as Uint8Array);
  }
  if (bytes < byteLength) throw new RangeError(`${expected}, got pieces of ${bytes}`);
}

/** The bytes of an array, which must be those of the tensor. A Uint8Array has the bytes of any. */
function checkedBytes(
  what: string,
  array: unknown,
  { dtype, byteLength, shape }: Omit<NamedTensor, 'bytes'>,
): Uint8Array {
  const kind = kindOf(array);
  if (kind === undefined || (kind !== 'Uint8Array' && !holds(kind, dtype))) {
    throw new TypeError(`${what}: ${dtype} is written from ${traitsOf(dtype).Array.name}, got ${shown(array)}`);
  }
  const bytes = byteLengthOf(array);
  if (bytes !== byteLength) {
    throw new RangeError(`${what}: [${shape.join()}] of ${dtype} are ${byteLength} bytes, got an array of ${bytes}`);
  }
  return bytesOf(array as SafetensorsArray);
}
