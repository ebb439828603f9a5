import { loadAddon } from './addon';

/** bench/native/limit/limit.cpp. The first argument is the number of threads, the first array of a rule its gradient. */
export interface Limit {
  read(threads: number, x: Float32Array): void;
  copy(threads: number, y: Float32Array, x: Float32Array): void;
  update(threads: number, g: Float32Array, ...written: Float32Array[]): void;
  lamb(threads: number, g: Float32Array, w: Float32Array, m: Float32Array, v: Float32Array): void;
  lars(threads: number, g: Float32Array, w: Float32Array, v: Float32Array): void;
  divide(threads: number, y: Float32Array, x: Float32Array, z: Float32Array): void;
  adam(threads: number, g: Float32Array, w: Float32Array, m: Float32Array, v: Float32Array): void;
}

// Sums may be vectorised; and vectors are 32 bytes also where the compiler prefers 16, as on Zen 1, which is slower.
const loops = ['-fassociative-math', '-fno-signed-zeros', '-fno-trapping-math', '-mprefer-vector-width=256'];

export const limit = loadAddon('limit', loops) as Limit;
