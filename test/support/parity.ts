import { expect } from 'chai';
import { runtime, type DType } from 'gradstep';

type FloatArray = Float32Array | Float64Array;

/** Lengths around every boundary: of lanes, of unrolled loops, of blocks of 16 Ki, of where threads begin. */
export const lengths = [0, 1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 1000, 16383, 16385, 40001];
export const shortLengths = lengths.filter((n) => n <= 127);

/** Values that make vector code go wrong: signs of zero, denormals, extremes, infinities, NaN. */
export const specials = [0, -0, NaN, Infinity, -Infinity, 1e-40, -1e-40, 5e-324, 3.4e38, -3.4e38, 1, -1, 0.5, 1e-10];

/** Reproducible numbers in [0, 1). */
export function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

export type Make = (length: number) => FloatArray;
export const dtypes: readonly [name: DType, make: Make][] = [
  ['float32', (length) => new Float32Array(length)],
  ['float64', (length) => new Float64Array(length)],
];

/** An array that starts at no multiple of a vector: one element into its buffer. */
export function unaligned(make: Make, length: number): FloatArray {
  return make(length + 1).subarray(1);
}

export function random(make: Make, length: number, seed: number, withSpecials = false): FloatArray {
  const next = generator(seed);
  const out = unaligned(make, length);
  for (let i = 0; i < length; i++) {
    out[i] =
      withSpecials && next() < 0.2
        ? specials[Math.floor(next() * specials.length)]!
        : (next() - 0.5) * 10 ** (next() * 6 - 3);
  }
  return out;
}

/** The bytes of arrays, every NaN written the same way: which NaN comes out is the one thing an ISA may choose. */
export function bytesOf(arrays: readonly FloatArray[]): string {
  return arrays
    .map((array) => {
      const copy = array.slice();
      for (let i = 0; i < copy.length; i++) if (Number.isNaN(copy[i])) copy[i] = NaN;
      return Buffer.from(copy.buffer, copy.byteOffset, copy.byteLength).toString('latin1');
    })
    .join('|');
}

/** Runs `compute` on every instruction set and with 1, 2 and 3 threads, and expects the same bytes each time. */
export function expectSameEverywhere(what: string, compute: () => readonly FloatArray[]): void {
  const { isa, threads } = runtime;
  try {
    let expected: string | null = null;
    for (const name of [...runtime.availableIsas].reverse()) {
      for (const count of [1, 2, 3]) {
        runtime.useIsa(name);
        runtime.threads = count;
        const bytes = bytesOf(compute());
        expected ??= bytes;
        if (bytes !== expected) expect.fail(`${what} differs on ${name} with ${count} threads`);
      }
    }
  } finally {
    runtime.useIsa(isa);
    runtime.threads = threads;
  }
}
