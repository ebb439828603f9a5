import { native } from '../native';
import type { ArrayOf, DType, FloatArray, StateMemory, TensorArray, TensorDType } from './dtype';

// What an array is and where it lies: the one place in lib/ that reckons with addresses. Everything is asked of the
// engine's own getters, since an array may have a `length` or a `buffer` of its own making.

const getterOf = <T>(prototype: object, name: string | symbol): ((of: unknown) => T) => {
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called on what it is asked of, below
  const get = Object.getOwnPropertyDescriptor(prototype, name)?.get;
  // A getter that this version of Node lacks is one of a feature that nothing here has.
  return get === undefined ? () => undefined as T : (Function.prototype.call.bind(get) as (of: unknown) => T);
};
const typedArray = Object.getPrototypeOf(Float32Array.prototype) as object;
/** What a typed array is to the engine: `Float32Array`, say; undefined for what is none. */
export const kindOf = getterOf<string | undefined>(typedArray, Symbol.toStringTag);
export const bufferOf = getterOf<ArrayBufferLike>(typedArray, 'buffer');
export const byteLengthOf = getterOf<number>(typedArray, 'byteLength');
export const byteOffsetOf = getterOf<number>(typedArray, 'byteOffset');
const bytesOfPlain = getterOf<number>(ArrayBuffer.prototype, 'byteLength');
const bytesOfShared = getterOf<number>(SharedArrayBuffer.prototype, 'byteLength');
const isResizable = getterOf<boolean | undefined>(ArrayBuffer.prototype, 'resizable');
const isGrowable = getterOf<boolean | undefined>(SharedArrayBuffer.prototype, 'growable');
const mostBytesOfShared = getterOf<number | undefined>(SharedArrayBuffer.prototype, 'maxByteLength');

/** How many elements a typed array has. Of one whose buffer was detached Node 20 may give the old number: see Place. */
export const lengthOf = getterOf<number>(typedArray, 'length');

// eslint-disable-next-line @typescript-eslint/unbound-method -- bound right here
const setIn = Function.prototype.call.bind(Float32Array.prototype.set) as (to: AnyArray, from: AnyArray) => void;

/** What tensors and state are made of. */
type AnyArray = StateMemory | TensorArray;

/** Copies all of an array into another of its kind, whatever methods they may have of their own. */
export function copyInto<A extends AnyArray>(to: A, from: A): void {
  if (lengthOf(from) > 0) setIn(to, from);
}

export function isFloatArray(value: unknown): value is FloatArray {
  const kind = kindOf(value);
  return kind === 'Float32Array' || kind === 'Float64Array';
}

export function isInt32Array(value: unknown): value is Int32Array {
  return kindOf(value) === 'Int32Array';
}

export function isUint8Array(value: unknown): value is Uint8Array {
  return kindOf(value) === 'Uint8Array';
}

/** The class of arrays that hold this. */
export const classOf: Readonly<Record<TensorDType, string>> = {
  float32: 'Float32Array',
  float64: 'Float64Array',
  int32: 'Int32Array',
  bool: 'Uint8Array',
};

const held: Readonly<Record<string, TensorDType>> = {
  Float32Array: 'float32',
  Float64Array: 'float64',
  Int32Array: 'int32',
  Uint8Array: 'bool',
};

/** What a caller's array would hold as a tensor; undefined for what is no such array. */
export function heldBy(value: unknown): TensorDType | undefined {
  const kind = kindOf(value);
  return kind === undefined ? undefined : held[kind];
}

/** What a caller's array holds. Of all others it is known: what an array is made for goes with it. */
export function dtypeOf(array: FloatArray): DType {
  return kindOf(array) === 'Float32Array' ? 'float32' : 'float64';
}

export const bytesPerElement: Readonly<Record<TensorDType, number>> = { float32: 4, float64: 8, int32: 4, bool: 1 };

const makers: { readonly [D in TensorDType]: (length: number) => ArrayOf<D> } = {
  float32: (length) => new Float32Array(length),
  float64: (length) => new Float64Array(length),
  int32: (length) => new Int32Array(length),
  bool: (length) => new Uint8Array(length),
};

/** Elements of an array, in the same memory. */
export function pieceOf<A extends FloatArray>(array: A, begin: number, end: number): A {
  const dtype = dtypeOf(array);
  return arrayOver(dtype, bufferOf(array), byteOffsetOf(array) + begin * bytesPerElement[dtype], end - begin) as A;
}

/** A typed array for the caller, at the start of a buffer of its size. */
export function newArray<D extends TensorDType>(dtype: D, length: number): ArrayOf<D> {
  return makers[dtype](length);
}

const viewers: {
  readonly [D in TensorDType]: (buffer: ArrayBufferLike, offset: number, length: number) => ArrayOf<D>;
} = {
  float32: (buffer, offset, length) => new Float32Array(buffer, offset, length),
  float64: (buffer, offset, length) => new Float64Array(buffer, offset, length),
  int32: (buffer, offset, length) => new Int32Array(buffer, offset, length),
  bool: (buffer, offset, length) => new Uint8Array(buffer, offset, length),
};

export function arrayOver<D extends TensorDType>(
  dtype: D,
  buffer: ArrayBufferLike,
  offset: number,
  length: number,
): ArrayOf<D> {
  return viewers[dtype](buffer, offset, length);
}

// A cache line, and a whole vector of the widest kind: a vector that lies in two lines costs two accesses.
const lineBytes = 64;
const toWholeLines = (bytes: number): number => Math.ceil(bytes / lineBytes) * lineBytes;

/** How far into a buffer its first whole line starts. */
function firstLine(buffer: ArrayBufferLike): number {
  const start = native.addressOf(new Float32Array(buffer, 0, 1));
  return (lineBytes - (start % lineBytes)) % lineBytes;
}

/** A zeroed array that starts on a cache line, somewhere in its buffer. */
export function alignedArray<D extends TensorDType>(dtype: D, length: number): ArrayOf<D> {
  if (length === 0) return newArray(dtype, 0);
  const buffer = new ArrayBuffer(length * bytesPerElement[dtype] + lineBytes);
  return arrayOver(dtype, buffer, firstLine(buffer), length);
}

// From here on shared memory is asked for as growable, up to the size it has: the engine then maps whole pages for it,
// and an array starts where its buffer starts. (Neighbours share a mapping, so that tens of thousands are no trouble.) Smaller
// ones start somewhere in a plain buffer: they would not fill a page.
const pagedBytes = 2 ** 12;

/** Zeroed shared memory from a cache line on: it neither moves nor goes while it is referenced. */
function sharedBytes(bytes: number): { buffer: SharedArrayBuffer; offset: number } {
  const isPaged = bytes >= pagedBytes;
  const buffer = isPaged ? pagedBuffer(bytes) : new SharedArrayBuffer(bytes + lineBytes);
  native.watch(buffer, bytes); // of shared memory the garbage collector does not know how much there is to gain
  return { buffer, offset: isPaged ? 0 : firstLine(buffer) };
}

/** Zeroed shared memory of which the garbage collector knows. */
export function sharedMemory(bytes: number): SharedArrayBuffer {
  const buffer = new SharedArrayBuffer(bytes);
  native.watch(buffer, bytes);
  return buffer;
}

function pagedBuffer(bytes: number): SharedArrayBuffer {
  const options = { maxByteLength: bytes };
  return new (SharedArrayBuffer as new (bytes: number, options: object) => SharedArrayBuffer)(bytes, options);
}

/** A zeroed array over fresh shared memory, starting on a cache line. */
export function sharedArray<D extends DType>(dtype: D, length: number): ArrayOf<D> {
  if (length === 0) return arrayOver(dtype, new SharedArrayBuffer(0), 0, 0);
  const { buffer, offset } = sharedBytes(length * bytesPerElement[dtype]);
  return arrayOver(dtype, buffer, offset, length);
}

const arenaBytes = 2 ** 20;

/**
 * Zeroed arrays over fresh shared memory. Small ones lie together, each on cache lines of its own, in their order, which
 * is that in which steps walk over them: memory is read ahead.
 */
export function sharedArrays(wanted: readonly { readonly dtype: DType; readonly size: number }[]): FloatArray[] {
  const sizes = [0];
  const places = wanted.map(({ dtype, size }) => {
    const bytes = toWholeLines(size * bytesPerElement[dtype]);
    if (sizes.at(-1)! > 0 && sizes.at(-1)! + bytes > arenaBytes) sizes.push(0);
    const place = { arena: sizes.length - 1, offset: sizes.at(-1)! };
    sizes[place.arena]! += bytes;
    return place;
  });
  const arenas = sizes.map(sharedBytes);
  return wanted.map(({ dtype, size }, i) => {
    const { buffer, offset } = arenas[places[i]!.arena]!;
    return arrayOver(dtype, buffer, offset + places[i]!.offset, size);
  });
}

/** Also of another realm's. */
function isShared(buffer: ArrayBufferLike): buffer is SharedArrayBuffer {
  if (buffer instanceof SharedArrayBuffer) return true;
  if (buffer instanceof ArrayBuffer) return false;
  try {
    return bytesOfShared(buffer) >= 0;
  } catch {
    return false;
  }
}

/** Whether an array lies in shared memory that neither moves nor goes while it is referenced. */
export function isSharedForGood(array: StateMemory): boolean {
  const buffer = bufferOf(array);
  if (!isShared(buffer)) return false;
  return isGrowable(buffer) !== true || mostBytesOfShared(buffer) === bytesOfShared(buffer);
}

/** Counts in fresh shared memory, which stays as any of the library's does. */
export function sharedCounts(counts: readonly number[]): BigInt64Array {
  const array = new BigInt64Array(new SharedArrayBuffer(8 * counts.length));
  array.set(counts.map(BigInt));
  return array;
}

const bytesOf = (buffer: ArrayBufferLike): number => (isShared(buffer) ? bytesOfShared(buffer) : bytesOfPlain(buffer));

const classes = { Uint8Array, Int32Array, Float32Array, Float64Array, BigInt64Array };

/** The same memory as an array of the engine's class, without properties and methods of the given one. */
export function plainArray(array: StateMemory): StateMemory {
  const Plain = classes[kindOf(array) as keyof typeof classes];
  if (lengthOf(array) === 0) return new Plain(0) as StateMemory; // its buffer may be detached
  return new Plain(bufferOf(array) as ArrayBuffer, byteOffsetOf(array), lengthOf(array)) as StateMemory;
}

/** How many elements of an array are there now, by its buffer: see Place. */
export function lengthNow(array: AnyArray): number {
  const bytes = classes[kindOf(array) as keyof typeof classes].BYTES_PER_ELEMENT;
  const isThere = byteOffsetOf(array) + lengthOf(array) * bytes <= bytesOf(bufferOf(array));
  return isThere ? lengthOf(array) : 0;
}

/** How an array's memory may change under it. */
const enum Kind {
  /** Nobody has looked yet. */
  Unknown,
  /** Shared memory of one size: it stays while it is referenced. */
  Permanent,
  /** A plain buffer: it stays until it is transferred. */
  Detachable,
  /** A buffer that can be resized. */
  Changing,
}

/** What tells, without the array, whether its memory is still what it was: a buffer that may be detached, or nothing. */
export type Watchable = ArrayBufferLike | 'permanent' | 'changing';

/** Whether a buffer that is watched has its memory still. */
export const isAttached = (buffer: ArrayBufferLike): boolean => bytesOfPlain(buffer) !== 0;

/** An array and where it lies, looked up when first asked for. */
export class Place {
  readonly length: number;
  private kind = Kind.Unknown;
  private buffer: ArrayBufferLike | null = null;
  private bufferBytes = 0;
  private end = 0;
  private knownAddress = -1;

  constructor(
    readonly array: TensorArray,
    readonly dtype: TensorDType,
  ) {
    this.length = lengthOf(array);
  }

  /** Whether the memory can neither move nor be taken away while the array is referenced. */
  get isPermanent(): boolean {
    return this.lookedUp() === Kind.Permanent;
  }

  /**
   * Whether the array has all of its memory still. The buffer tells: optimized code of Node 20 can read the old length
   * of a detached array where it has seen arrays over resizable buffers.
   */
  get isThere(): boolean {
    switch (this.lookedUp()) {
      case Kind.Permanent:
        return true;
      case Kind.Detachable:
        return bytesOfPlain(this.buffer) === this.bufferBytes && this.end <= this.bufferBytes;
      case Kind.Changing:
      case Kind.Unknown:
        return bytesOf(this.buffer!) >= this.end && lengthOf(this.array) === this.length;
    }
  }

  get watchable(): Watchable {
    const kind = this.lookedUp();
    if (kind === Kind.Detachable) return this.buffer!;
    return kind === Kind.Permanent ? 'permanent' : 'changing';
  }

  /** How many elements of it are there. */
  get lengthNow(): number {
    return lengthNow(this.array);
  }

  /** Where the array lies, which must be there: until user code runs. */
  get address(): number {
    if (this.lookedUp() === Kind.Changing) return native.addressOfAny(this.array);
    if (this.knownAddress < 0) this.knownAddress = native.addressOfAny(this.array);
    return this.knownAddress;
  }

  /** Where its buffer starts, if that is permanent: the same for all arrays over the same memory. */
  get bufferAddress(): number {
    return this.address - byteOffsetOf(this.array);
  }

  private lookedUp(): Kind {
    if (this.kind === Kind.Unknown) this.lookUp();
    return this.kind;
  }

  private lookUp(): void {
    const { array, dtype, length } = this;
    const buffer = bufferOf(array);
    this.buffer = buffer;
    this.bufferBytes = bytesOf(buffer);
    this.end = byteOffsetOf(array) + length * bytesPerElement[dtype];
    if (isShared(buffer)) {
      const canGrow = isGrowable(buffer) === true && mostBytesOfShared(buffer) !== this.bufferBytes;
      this.kind = canGrow ? Kind.Changing : Kind.Permanent;
    } else {
      this.kind = isResizable(buffer) === true ? Kind.Changing : Kind.Detachable;
    }
  }
}
