import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, scratch, sources } from './paths';

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

// No -ffast-math: GCC would link code that makes the whole process flush denormals to zero.
const flags = ['-O3', '-march=native', '-std=c++17', '-shared', '-fPIC', '-pthread', '-fno-math-errno'];
// Sums may be vectorised; and vectors are 32 bytes also where the compiler prefers 16, as on Zen 1, which is slower.
const loops = ['-fassociative-math', '-fno-signed-zeros', '-fno-trapping-math', '-mprefer-vector-width=256'];

function load(): Limit {
  const source = join(sources, 'native', 'limit', 'limit.cpp');
  const hash = createHash('sha256').update(readFileSync(source)).update(flags.concat(loops).join()).digest('hex');
  const file = join(scratch, `limit-${hash.slice(0, 12)}.node`);
  if (!existsSync(file)) {
    mkdirSync(scratch, { recursive: true });
    const headers = join(root, 'node_modules', 'node-api-headers', 'include');
    const args = [...flags, ...loops, `-I${headers}`, source, '-o', file];
    const { status, error } = spawnSync(process.env['CXX'] ?? 'g++', args, { stdio: 'inherit' });
    if (status !== 0) throw new Error(`the limit loops do not compile: ${error?.message ?? 'see above'}`);
  }
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- an addon can be loaded in no other way
  return require(file) as Limit;
}

export const limit = load();
