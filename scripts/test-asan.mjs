// `npm run test:asan [full] [seconds]`: the addon with AddressSanitizer and UndefinedBehaviorSanitizer in Node itself, under
// the tests of the binding, of memory and hostile input, with `full` under all that reach native code, then under the
// fuzzer for that many seconds (default: 60).
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cmakeBuild } from './cmake.mjs';
import { listFiles, root, run } from './files.mjs';
import { needTools } from './tools.mjs';

const words = process.argv.slice(2);
const [given = 60] = words.filter((word) => word !== 'full');
const seconds = Number(given);
if (!(seconds > 0)) {
  console.error(`seconds must be a positive number, got ${given}`);
  process.exit(1);
}

const trace = join(root, 'build/asan-seed');
// Those that reach native code in many ways. Left out is what measures memory, which a sanitizer holds on to, and what
// looks at files of the source tree.
const tests = ['kernels', 'step', 'tensor', 'async', 'hostile', 'hostile.test.js', 'clip.test.js', 'endings.test.js'];
const others = [
  ...['optimizers', 'autodiff', 'compile', 'random', 'tensorboard', 'metrics', 'parallel', 'accumulators.test.js'],
  ...['moving-average.test.js', 'loss-scale.test.js', 'sync-replicas.test.js'],
];
if (words.includes('full')) tests.push(...others);

needTools('cmake', 'make', 'g++');
run(process.execPath, ['scripts/build.mjs']);
cmakeBuild('asan-ubsan', 'gradstep');
const env = {
  ...process.env,
  // Node itself is built without: the sanitizer has to be there before it.
  LD_PRELOAD: [library('libasan.so'), library('libubsan.so')].join(' '),
  // Node leaks what it needs until its end; what the addon and Node allocate and free differs from what libasan knows.
  ASAN_OPTIONS: 'detect_leaks=0:alloc_dealloc_mismatch=0:abort_on_error=1:allocator_may_return_null=1',
  UBSAN_OPTIONS: 'print_stacktrace=1:halt_on_error=1',
  GRADSTEP_BINARY: join(root, 'build/cmake/asan-ubsan/gradstep.node'),
  GRADSTEP_FUZZ_SECONDS: `${seconds}`,
  GRADSTEP_FUZZ_TRACE: trace,
};
const unsound = [mocha(tests, 600_000), mocha(['fuzz'], 600_000 + 2000 * seconds)].filter((isSound) => !isSound);
process.exit(unsound.length);

function library(name) {
  return execFileSync(process.env.CXX ?? 'g++', [`-print-file-name=${name}`], { encoding: 'utf8' }).trim();
}

/** Runs compiled tests in that package. @returns whether all is well. */
function mocha(names, timeout) {
  const files = names.flatMap((name) => {
    const path = join('build/ts/test', name);
    return name.endsWith('.js') ? path : listFiles(path, ['.test.js']);
  });
  const args = ['--no-config', '--timeout', `${timeout}`, ...files];
  rmSync(trace, { force: true });
  const { status, signal } = spawnSync(process.execPath, ['node_modules/mocha/bin/mocha.js', ...args], {
    env,
    stdio: 'inherit',
  });
  if (status === 0) return true;
  if (signal !== null) console.error(`gradstep: the process ended by ${signal}`);
  if (existsSync(trace)) console.error(`gradstep: the last seed was GRADSTEP_FUZZ_SEED=${readFileSync(trace, 'utf8')}`);
  return false;
}
