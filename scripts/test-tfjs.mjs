// `npm run test:tfjs [full]`: gradstep/tfjs inside of TensorFlow.js, which is installed outside of node_modules. First the
// tests of test/tfjs, none of which may be skipped, then TensorFlow.js's own tests of its optimizers with gradstep's
// constructors under tf.train; with `full`, all tests of tfjs-core and tfjs-layers. Each must end as it does with
// TensorFlow.js's own constructors, but for those in test/tfjs/suites/exceptions.mjs.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root, run } from './files.mjs';

const [word] = process.argv.slice(2);
if (word !== undefined && word !== 'full') {
  console.error(`npm run test:tfjs [full], got ${word}`);
  process.exit(1);
}
const minutes = 60_000;
const backends = ['cpu', 'wasm'];

run(process.execPath, ['scripts/build.mjs']);
const require = createRequire(import.meta.url);
const { install, installPeers } = require('../build/ts/bench/peers/installed.js');
const { bundle, tools } = await import('../test/tfjs/suites/suites.mjs');
if (
  !installPeers() ||
  !install(join(root, 'test/tfjs/suites'), tools, 'what the suites of TensorFlow.js need (40 MB')
) {
  process.exit(1);
}

const { exceptions } = await import('../test/tfjs/suites/exceptions.mjs');
const modes = ['ours', ...('accelerate' in require('../dist/gradstep-tfjs.js') ? ['accelerated'] : [])];
const folder = mkdtempSync(join(tmpdir(), 'gradstep-tfjs-'));
let passed = 0;
let failed = 0;
try {
  ownTests();
  for (const suite of word === 'full' ? ['optimizers', 'core', 'layers'] : ['optimizers']) await theirTests(suite);
} finally {
  rmSync(folder, { recursive: true });
}
console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;

function fail(what, why) {
  failed++;
  console.log(`  ✘ ${what}\n${why.replaceAll(/^/gm, '      ')}`);
}

/** Runs a program of ours that writes its results to a file. @returns them, or undefined after saying what went wrong. */
function results(what, args, file, timeout) {
  const { signal, stdout, stderr } = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    timeout,
    maxBuffer: 1 << 28,
  });
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    const end = `${stdout}${stderr}`.split('\n').slice(-20).join('\n');
    fail(what, `${signal === null ? 'no results' : `ended by ${signal}`}\n${end}`);
    return undefined;
  }
}

function ownTests() {
  const file = join(folder, 'own.json');
  const mocha = ['--enable-source-maps', 'node_modules/mocha/bin/mocha.js', '--no-config', '--timeout', '60000'];
  const reporter = ['--reporter', 'json', '--reporter-option', `output=${file}`, '--forbid-pending'];
  const args = [...mocha, ...reporter, '--recursive', 'build/ts/test/tfjs', 'build/ts/test/docs.test.js'];
  const found = results('test/tfjs and the examples of the docs', args, file, 10 * minutes);
  if (found === undefined) return;
  for (const { fullTitle, err } of found.failures) fail(fullTitle, err.stack ?? err.message);
  passed += found.passes.length;
  console.log(
    `  ✔ test/tfjs and the examples of the docs: ${found.passes.length} tests (${Math.round(found.stats.duration / 1000)} s)`,
  );
}

async function theirTests(suite) {
  const file = await bundle(suite);
  for (const backend of backends) {
    const outcomes = (mode) => {
      const output = join(folder, `${suite}-${backend}-${mode}.json`);
      const child = ['test/tfjs/suites/child.cjs', file, backend, mode, output];
      return results(`${suite} on ${backend}, ${mode}`, child, output, 10 * minutes);
    };
    const theirs = outcomes('theirs');
    if (theirs === undefined) continue;
    for (const mode of modes) {
      const ours = outcomes(mode);
      if (ours !== undefined) compare(`${suite} on ${backend}, ${mode}`, theirs, ours, { suite, backend, mode });
    }
  }
}

/** Counts what ends as it does with theirs; faster kernels may make tests pass that did not. */
function compare(what, theirs, ours, { suite, backend, mode }) {
  const before = passed;
  const failing = { both: 0, excepted: 0 };
  for (const name of new Set([...Object.keys(theirs), ...Object.keys(ours)])) {
    const [expected, got] = [theirs[name], ours[name]];
    const reason = exceptions[suite][name.replace(` ${backend} {}`, '')];
    const isSame = expected?.status === got?.status;
    if (isSame && got.status === 'pending') continue;
    if (expected?.status === 'passed' && reason !== undefined) {
      if (isSame) fail(`${what}: ${name}`, 'is listed as an exception, and passes');
      else (passed++, failing.excepted++);
    } else if (isSame || (mode === 'accelerated' && got?.status === 'passed')) {
      passed++;
      if (got.status === 'failed') failing.both++;
    } else
      fail(
        `${what}: ${name}`,
        `${expected?.status ?? 'absent'} with theirs, ${got?.status ?? 'absent'} with ours\n${got?.why}`,
      );
  }
  const { both, excepted } = failing;
  console.log(
    `  ✔ ${what}: ${passed - before} tests end as with theirs (${both} fail with both, ${excepted} are exceptions)`,
  );
}
