import type { DType, FloatArray } from 'gradstep';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Picks } from './picks';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Bytes of a buffer. */
export interface Range {
  readonly buffer: ArrayBufferLike;
  readonly start: number;
  readonly end: number;
}

export function rangeOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Range {
  return { buffer, start: byteOffset, end: byteOffset + byteLength };
}

export function overlaps(a: Range, b: Range): boolean {
  return a.buffer === b.buffer && a.start < b.end && b.start < a.end;
}

/** Around a vector's lanes and, once in a while, a block of 16 Ki. */
const sizes = [3, 1, 2, 0, 4, 7, 15, 16, 17, 31, 33, 64] as const;
const bigSizes = [1000, 4097, 16_383, 16_384, 16_385, 40_001] as const;

export function pickSize(picks: Picks): number {
  return picks.isRare(4) ? picks.of(bigSizes) : picks.of(sizes);
}

export function pickDType(picks: Picks): DType {
  return picks.isRare(25) ? 'float64' : 'float32';
}

export function lengthsOf(dtype: DType): 4 | 8 {
  return dtype === 'float32' ? 4 : 8;
}

const specials = [0, -0, NaN, Infinity, -Infinity, 1e-40, 3e38, 1e-10] as const;

export function fill(picks: Picks, array: FloatArray): void {
  let state = picks.next();
  for (let i = 0; i < array.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    array[i] = (state / 2 ** 32 - 0.5) * 4;
  }
  if (array.length > 0 && picks.isRare(8)) array[picks.below(array.length)] = picks.of(specials);
}

type Buffers = (bytes: number) => ArrayBuffer; // or a SharedArrayBuffer: to constructors it is the same
const ResizableBuffer = ArrayBuffer as unknown as new (n: number, options: { maxByteLength: number }) => ArrayBuffer;
const GrowableBuffer = SharedArrayBuffer as unknown as new (
  n: number,
  options: { maxByteLength: number },
) => SharedArrayBuffer;

const buffers: readonly [Buffers, ...Buffers[]] = [
  (bytes) => new ArrayBuffer(bytes),
  (bytes) => new ArrayBuffer(bytes),
  (bytes) => new SharedArrayBuffer(bytes) as unknown as ArrayBuffer,
  (bytes) => new ResizableBuffer(bytes, { maxByteLength: 2 * bytes + 64 }),
  (bytes) => new GrowableBuffer(bytes, { maxByteLength: 2 * bytes + 64 }) as unknown as ArrayBuffer,
];

/** An array over memory of any kind: its own, shared, resizable; from its start, or in the middle of more. */
export function makeArray(picks: Picks, dtype: DType, length: number): FloatArray {
  const Class = dtype === 'float32' ? Float32Array : Float64Array;
  const bytes = lengthsOf(dtype);
  if (!picks.isRare(50)) {
    const own = new Class(length);
    fill(picks, own);
    return own;
  }
  const makeBuffer = picks.of(buffers);
  const before = picks.below(4);
  const buffer = makeBuffer((before + length + picks.below(3)) * bytes);
  const isTracking = picks.isRare(20) && before === 0 && buffer.byteLength === length * bytes;
  const array = isTracking ? new Class(buffer) : new Class(buffer, before * bytes, length);
  fill(picks, array);
  return array;
}

/** Another array over the same buffer, at another offset where there is room. */
export function shifted(picks: Picks, array: FloatArray): FloatArray {
  const { buffer, byteOffset, length, BYTES_PER_ELEMENT: bytes } = array;
  const Class = array instanceof Float32Array ? Float32Array : Float64Array;
  const start = Math.max(0, byteOffset + (picks.below(5) - 2) * bytes);
  const room = Math.floor((buffer.byteLength - start) / bytes);
  return room < 0 ? new Class(length) : new Class(buffer as ArrayBuffer, start, Math.min(length, room));
}

export function isDetachable({ buffer }: FloatArray): boolean {
  return buffer instanceof ArrayBuffer && buffer.byteLength > 0;
}

/**
 * Takes an array's memory away.
 * @returns an array over where it went; null when it is freed.
 */
export function detach(picks: Picks, { buffer }: FloatArray): FloatArray | null {
  const sent = structuredClone(buffer as ArrayBuffer, { transfer: [buffer as ArrayBuffer] });
  if (picks.isRare(50)) return new Float32Array(sent, 0, Math.floor(sent.byteLength / 4));
  if (picks.isRare(20)) collect();
  return null;
}

/** Makes a resizable buffer smaller, or as large as it can be. @returns whether it could. */
export function resize(picks: Picks, { buffer }: FloatArray): boolean {
  type Resizable = { resizable?: boolean; growable?: boolean; maxByteLength: number; byteLength: number } & {
    resize(n: number): void;
    grow(n: number): void;
  };
  const memory = buffer as unknown as Resizable;
  const sizes = [memory.maxByteLength, memory.byteLength >> 1, 0] as const;
  if (memory.maxByteLength === 0) return false; // it was detached
  if (memory.resizable === true) memory.resize(picks.of(sizes));
  else if (memory.growable === true) memory.grow(memory.maxByteLength);
  else return false;
  return true;
}
