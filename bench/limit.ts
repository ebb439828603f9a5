import { native } from '../lib/native';
import { loadAddon } from './addon';

type Loop<Arrays extends readonly Float32Array[]> = (variant: number, threads: number, ...arrays: Arrays) => void;
type One = Float32Array;

/** bench/native/limit/limit.cpp. The first array of a rule is its gradient. */
interface Addon {
  read: Loop<[x: One]>;
  copy: Loop<[y: One, x: One]>;
  join: Loop<[y: One, x: One, z: One]>;
  update: Loop<[g: One, ...written: One[]]>;
  lamb: Loop<[g: One, w: One, m: One, v: One]>;
  lars: Loop<[g: One, w: One, v: One]>;
  divide: Loop<[y: One, x: One, z: One]>;
  adam: Loop<[g: One, w: One, m: One, v: One]>;
  /** Modulo the size of a page. */
  address: (array: One) => number;
}

// Sums may be vectorised; and vectors are as long as the instruction set has them, where the compiler prefers shorter
// ones: 16 bytes on Zen 1, 32 with AVX-512.
const hasLongVectors = native.isa() === 'avx512';
const flags = ['-fassociative-math', '-fno-signed-zeros', '-fno-trapping-math', '-Wno-psabi'];
const addon = loadAddon('limit', [...flags, `-mprefer-vector-width=${hasLongVectors ? 512 : 256}`]) as Addon;

/** Of 32 bytes a vector: asking for nothing, for 4 and for 16 lines ahead; then of 64 bytes. */
const variants = hasLongVectors ? [0, 1, 2, 3, 4, 5] : [0, 1, 2];

/**
 * The fastest way over these arrays. In caches, where they end and in memory it is another one each: on Zen 5, with
 * what Adam moves, the slowest of them takes 1.2 to 1.7 times as long.
 */
function quickest<Arrays extends readonly Float32Array[]>(
  loop: Loop<Arrays>,
  threads: number,
  arrays: Arrays,
): () => void {
  const calls = Math.max(1, Math.round(2 ** 20 / arrays[0]!.length));
  const times = variants.map((variant) => {
    const turn = (): number => {
      const start = performance.now();
      for (let i = 0; i < calls; i++) loop(variant, threads, ...arrays);
      return performance.now() - start;
    };
    turn();
    return Math.min(turn(), turn(), turn());
  });
  const best = variants[times.indexOf(Math.min(...times))]!;
  return () => loop(best, threads, ...arrays);
}

/** Loops that move the same memory as a kernel as fast as this machine can; each is ready to be called. */
export const limit = {
  read: (threads: number, x: One) => quickest(addon.read, threads, [x]),
  copy: (threads: number, y: One, x: One) => quickest(addon.copy, threads, [y, x]),
  join: (threads: number, y: One, x: One, z: One) => quickest(addon.join, threads, [y, x, z]),
  update: (threads: number, g: One, ...written: One[]) => quickest(addon.update, threads, [g, ...written]),
  lamb: (threads: number, g: One, w: One, m: One, v: One) => quickest(addon.lamb, threads, [g, w, m, v]),
  lars: (threads: number, g: One, w: One, v: One) => quickest(addon.lars, threads, [g, w, v]),
};

/** Loops of the compiler's own that do compute. */
export const compiled = {
  divide: (y: One, x: One, z: One) => addon.divide(0, 1, y, x, z),
  adam: (threads: number, g: One, w: One, m: One, v: One) => addon.adam(0, threads, g, w, m, v),
};

/** Where an array starts, from the start of a cache line. */
export const misalignment = (array: Float32Array): number => addon.address(array) % 64;
