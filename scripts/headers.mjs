// Each native header stands alone: an editor that opens it finds everything it names. Part of `npm run check`.
import { spawnSync } from 'node:child_process';
import { listFiles } from './files.mjs';
import { needTools } from './tools.mjs';

needTools('g++');
const isX64 = process.arch === 'x64';
const isaFlags = {
  avx2: ['-mavx2', '-mfma'],
  avx512: ['-mavx512f', '-mavx512bw', '-mavx512dq', '-mavx512vl', '-mavx2', '-mfma'],
  x86: ['-mavx2', '-mfma'],
};
const others = isX64 ? ['neon.h', 'emulated_avx512.h'] : ['avx2.h', 'avx512.h', 'x86.h', 'emulated_avx512.h'];
const headers = listFiles('native', ['.h']).filter((file) => !others.some((name) => file.endsWith(name)));
// Functions in a header that nothing calls are what it is for.
const flags = ['-std=c++17', '-fno-exceptions', '-fsyntax-only', '-Wall', '-Wextra', '-Wno-unused-function'];
const node = ['node_modules/node-addon-api', 'node_modules/node-api-headers/include'].flatMap((path) => [
  '-isystem',
  path,
]);
const defines = ['-DNAPI_VERSION=8', '-DNAPI_DISABLE_CPP_EXCEPTIONS'];

let failed = false;
for (const header of headers) {
  const isa = header.match(/simd.(\w+)\.h$/)?.[1];
  const args = [...flags, ...(isaFlags[isa] ?? []), ...node, ...defines, '-include', header, '-x', 'c++', '/dev/null'];
  const { status, stderr } = spawnSync(process.env.CXX ?? 'g++', args, { encoding: 'utf8' });
  if (status === 0 && stderr === '') continue;
  failed = true;
  console.error(`${header} does not stand alone:\n${stderr}`);
}
process.exitCode = failed ? 1 : 0;
