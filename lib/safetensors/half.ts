import { shown } from '../checks';
import { kindOf, lengthOf } from './memory';

// Numbers of 16 bits, as their bits in a Uint16Array, to numbers of 32 and back. The way there is exact, NaN's payload
// and all; the way back rounds to the nearest, of two equally near to the one whose last bit is 0.

/**
 * The numbers that BF16's bits stand for: `bits · 2^16` as a float32. Exact.
 * @param into where they go, as long as `bits`; default: a new array.
 * @throws TypeError for other arrays, RangeError for another length.
 */
export function bf16ToFloat32(bits: Uint16Array, into?: Float32Array): Float32Array {
  const floats = into ?? new Float32Array(checkedLength('bits', bits, 'Uint16Array'));
  const words = wordsOf(bits, floats);
  for (let i = 0; i < words.length; i++) words[i] = bits[i]! << 16;
  return floats;
}

/**
 * The BF16 nearest to each number, as its bits; ties go to even bits. What is too large becomes infinite, a NaN stays one.
 * @param into where they go, as long as `values`; default: a new array.
 * @throws TypeError for other arrays, RangeError for another length.
 */
export function float32ToBf16(values: Float32Array, into?: Uint16Array): Uint16Array {
  const bits = into ?? new Uint16Array(checkedLength('values', values, 'Float32Array'));
  const words = wordsOf(bits, values);
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    const isNaN = (word & 0x7fffffff) > 0x7f800000;
    bits[i] = isNaN ? (word >>> 16) | 0x40 : (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  }
  return bits;
}

/**
 * The numbers that F16's bits (IEEE 754 binary16) stand for. Exact.
 * @param into where they go, as long as `bits`; default: a new array.
 * @throws TypeError for other arrays, RangeError for another length.
 */
export function f16ToFloat32(bits: Uint16Array, into?: Float32Array): Float32Array {
  const floats = into ?? new Float32Array(checkedLength('bits', bits, 'Uint16Array'));
  const words = wordsOf(bits, floats);
  const table = (f16Words ??= wordsOfF16());
  for (let i = 0; i < words.length; i++) words[i] = table[bits[i]!]!;
  return floats;
}

/**
 * The F16 nearest to each number, as its bits; ties go to even bits. 65520 and more become infinite, a NaN stays one.
 * @param into where they go, as long as `values`; default: a new array.
 * @throws TypeError for other arrays, RangeError for another length.
 */
export function float32ToF16(values: Float32Array, into?: Uint16Array): Uint16Array {
  const bits = into ?? new Uint16Array(checkedLength('values', values, 'Float32Array'));
  const words = wordsOf(bits, values);
  for (let i = 0; i < words.length; i++) bits[i] = f16Of(words[i]!, values[i]!);
  return bits;
}

const belowInfinity = 0x477ff000; // 65520, half way between the largest F16 and what would come next
const smallestNormal = 0x38800000; // 2^-14
const exponents = 0x38000000; // how much larger float32's exponents are, in place

function f16Of(word: number, value: number): number {
  const sign = (word >>> 16) & 0x8000;
  const size = word & 0x7fffffff;
  if (size > 0x7f800000) return sign | 0x7e00 | ((size >>> 13) & 0x3ff);
  if (size >= belowInfinity) return sign | 0x7c00;
  // Below the normal ones F16 counts in steps of 2^-24. At 2^52 a float64 counts in steps of 1, and rounds as we want.
  if (size < smallestNormal) return sign | (Math.abs(value) * 2 ** 24 + 2 ** 52 - 2 ** 52);
  return sign | ((size - exponents + 0xfff + ((size >>> 13) & 1)) >>> 13);
}

let f16Words: Uint32Array | undefined;

function wordsOfF16(): Uint32Array {
  const words = new Uint32Array(2 ** 16);
  const small = new Float32Array(1);
  const bitsOfSmall = new Uint32Array(small.buffer);
  for (let bits = 0; bits < 0x8000; bits++) {
    const exponent = bits >>> 10;
    small[0] = bits * 2 ** -24;
    if (exponent === 0) words[bits] = bitsOfSmall[0]!;
    else words[bits] = (bits << 13) + (exponent === 31 ? 2 * exponents : exponents);
    words[bits | 0x8000] = words[bits]! | 0x80000000;
  }
  return words;
}

/** The bits of `floats`, of which there must be as many as of `bits`. */
function wordsOf(bits: Uint16Array, floats: Float32Array): Uint32Array {
  const here = checkedLength('bits', bits, 'Uint16Array');
  const there = checkedLength('values', floats, 'Float32Array');
  if (here !== there) throw new RangeError(`both arrays must be of one length, got ${here} bits and ${there} values`);
  return new Uint32Array(floats.buffer, floats.byteOffset, there);
}

function checkedLength(name: string, array: unknown, kind: string): number {
  if (kindOf(array) !== kind) throw new TypeError(`${name} must be a ${kind}, got ${shown(array)}`);
  return lengthOf(array);
}
