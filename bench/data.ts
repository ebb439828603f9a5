import { misalignment } from './limit';

/**
 * Numbers every peer can make for itself, in whatever language, to the last bit: (i · step mod 1024 + 1) / 1024 · scale
 * with a scale that is a power of two. All positive, so that sums of them never become denormal or have a negative root.
 */
export function numbers(length: number, step: number, scale: number): Float32Array {
  const array = shared(length);
  fillNumbers(array, step, scale);
  return array;
}

export function fillNumbers(array: Float32Array, step: number, scale: number): void {
  for (let i = 0, k = 0; i < array.length; i++, k = (k + step) % 1024) array[i] = ((k + 1) / 1024) * scale;
}

/** The same, half of them negative: weights. */
export function weights(length: number, step: number, scale: number): Float32Array {
  const array = numbers(length, step, scale);
  for (let i = 0; i < length; i++) array[i]! -= scale / 2;
  return array;
}

const cacheLine = 64;

/** Zeros that start on a cache line, as all that the library allocates does; V8's own arrays start anywhere, by 16. */
export function shared(length: number): Float32Array {
  const buffer = new SharedArrayBuffer(length * 4 + cacheLine);
  const offset = (cacheLine - misalignment(new Float32Array(buffer))) % cacheLine;
  return new Float32Array(buffer, offset, length);
}

/** '1 thread', '2 threads': how ids of figures end. */
export const showThreads = (n: number): string => `${n} thread${n === 1 ? '' : 's'}`;

export const showVariables = (n: number): string => `${n.toLocaleString('en-US')} variable${n === 1 ? '' : 's'}`;

/** 4096 as '2^12', 1000 as '1,000'. */
export function showCount(n: number): string {
  const power = Math.log2(n);
  return Number.isInteger(power) && power >= 10 ? `2^${power}` : n.toLocaleString('en-US');
}
