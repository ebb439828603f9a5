import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, scratch, sources } from './paths';

// No -ffast-math: GCC would link code that makes the whole process flush denormals to zero.
const common = ['-O3', '-march=native', '-std=c++17', '-shared', '-fPIC', '-pthread', '-fno-math-errno'];

/** Loads the addon made of `native/<name>/<name>.cpp`, which is built on first use, for the CPU at hand. */
export function loadAddon(name: string, flags: readonly string[] = []): unknown {
  const source = join(sources, 'native', name, `${name}.cpp`);
  const hash = createHash('sha256')
    .update(readFileSync(source))
    .update([...common, ...flags].join())
    .digest('hex');
  const file = join(scratch, `${name}-${hash.slice(0, 12)}.node`);
  if (!existsSync(file)) {
    mkdirSync(scratch, { recursive: true });
    const headers = join(root, 'node_modules', 'node-api-headers', 'include');
    const args = [...common, ...flags, `-I${headers}`, source, '-o', file];
    const { status, error } = spawnSync(process.env['CXX'] ?? 'g++', args, { stdio: 'inherit' });
    if (status !== 0) throw new Error(`${source} does not compile: ${error?.message ?? 'see above'}`);
  }
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- an addon can be loaded in no other way
  return require(file) as unknown;
}
