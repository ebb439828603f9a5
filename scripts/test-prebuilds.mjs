// `npm run test:prebuilds [full] [name...]`: the published binaries on the systems of prebuild/runtimes.mjs. The package is
// packed and installed in a fresh folder, and a training there must leave the bits that it leaves everywhere; then come
// tests of the clone with the same binary. Without names or `full` it is one binary of each system, and no long tests.
import { copyFileSync, mkdirSync, openSync, closeSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { listFiles, root, run } from './files.mjs';
import { build, isStale } from './prebuild/compile.mjs';
import { mutants } from './prebuild/mutants.mjs';
import { runtimes } from './prebuild/runtimes.mjs';
import { oneOfEachSystem, targets } from './prebuild/targets.mjs';
import { faultsOf } from './prebuild/verify.mjs';

const folder = 'build/test-prebuilds';
const words = process.argv.slice(2);
const isFull = words.includes('full');
const names = words.filter((word) => word !== 'full');
const groups = ['verify', 'reproducible', ...Object.keys(runtimes)];
const unknown = names.filter((name) => !groups.includes(name));
if (unknown.length > 0) {
  console.error(`no such test: ${unknown.join(', ')}; there are ${groups.join(', ')}`);
  process.exit(1);
}
const isChosen = (name) => (names.length === 0 && (isFull || !runtimes[name]?.waits)) || names.includes(name);
let failures = 0;

// The tests of the clone that run, by name of the suite: files and folders of build/ts/test.
const library = [
  ...['kernels', 'optimizers', 'step', 'tensor', 'autodiff', 'hostile', 'accumulators.test.js', 'clip.test.js'],
  ...['hostile.test.js', 'loss-scale.test.js', 'moving-average.test.js', 'options.test.js', 'schedules.test.js'],
  ...['sync-replicas.test.js', 'tensor.test.js', 'tf-cases.test.js', 'weak.test.js', 'workers.test.js'],
];
const suites = {
  whole: [''],
  library,
  binding: ['kernels'],
};

run(process.execPath, ['scripts/build.mjs']);
for (const target of neededTargets()) if (isStale(target)) await build(target);
if (isChosen('verify')) verifyNoticesFaults();
if (names.includes('reproducible') || isFull) buildAgain();
const chosen = Object.entries(runtimes).filter(([name]) => isChosen(name));
if (chosen.length > 0) installPackage();
for (const [name, runtime] of chosen) tryOn(name, runtime);
process.exitCode = failures > 0 ? 1 : 0;

function neededTargets() {
  const used = Object.entries(runtimes).filter(([name]) => isChosen(name));
  const isWhole = isFull || names.includes('verify') || names.includes('reproducible');
  const verified = isWhole ? [...targets.keys()] : isChosen('verify') ? oneOfEachSystem : [];
  const wanted = [...used.map(([, { target }]) => target), ...verified];
  return [...targets.values()].filter(({ name }) => wanted.includes(name));
}

/** Says of each truth whether it holds, and counts them in the line that .ci/run reads. */
function report(truths) {
  for (const { holds, truth } of truths) console.log(`  ${holds ? '✔' : '✘'} ${truth}`);
  const failed = truths.filter(({ holds }) => !holds).length;
  console.log(`${truths.length - failed} passed, ${failed} failed`);
  failures += failed;
}

/** Good files have no faults, and each way to spoil one is noticed. */
function verifyNoticesFaults() {
  console.log('\nverify');
  report(
    neededTargets().flatMap((target) => [good(target), ...mutants(target).map((mutant) => spoiled(target, mutant))]),
  );
}

function good(target) {
  const faults = faultsOf(target);
  return { holds: faults.length === 0, truth: `${target.name} is as it must be ${faults.join('; ')}` };
}

function spoiled(target, { name, spoil, fault }) {
  const found = faultsOf(target, spoil(readFileSync(target.file)));
  const said = found.join('; ').slice(0, 100);
  return { holds: found.some((each) => fault.test(each)), truth: `${target.name} with ${name} is not: ${said}` };
}

/** The same bytes from another folder, for every system. */
function buildAgain() {
  console.log('\nreproducible');
  const elsewhere = resolve(folder, 'a folder of another name');
  rmSync(elsewhere, { recursive: true, force: true });
  mkdirSync(join(elsewhere, 'build'), { recursive: true });
  for (const name of ['native', 'scripts', 'package.json']) run('cp', ['-r', name, elsewhere]);
  run('ln', ['-s', join(root, 'node_modules'), elsewhere]);
  run('ln', ['-s', join(root, 'build/toolchain'), join(elsewhere, 'build')]);
  run(process.execPath, ['scripts/prebuild.mjs'], { cwd: elsewhere });
  report(
    [...targets.values()].map(({ name, file }) => ({
      holds: readFileSync(file).equals(readFileSync(join(elsewhere, file))),
      truth: `${name} has the same bytes when it is built again in another folder`,
    })),
  );
}

/** What is published, installed as anybody does, and beside it the program that trains. */
function installPackage() {
  const place = join(folder, 'installed');
  rmSync(place, { recursive: true, force: true });
  mkdirSync(place, { recursive: true });
  run('npm', ['pack', '--silent', '--pack-destination', folder], { stdio: ['ignore', 'ignore', 'inherit'] });
  const archive = readdirSync(folder).find((file) => file.endsWith('.tgz'));
  const quiet = ['--silent', '--no-audit', '--no-fund', '--no-package-lock'];
  run('npm', ['install', ...quiet, '--prefix', place, join(folder, archive)]);
  copyFileSync('build/ts/test/support/training-hash.js', join(place, 'training.cjs'));
  copyFileSync('build/ts/test/support/parallel-training.js', join(place, 'parallel.cjs'));
}

function tryOn(name, { target, prepare, suite, short = suite, isLong, isEmulated, except }) {
  console.log(`\n${name}`);
  const { command, env } = prepare();
  const execute = (args, cwd, own = {}) => spawnToFile([...command, ...args], cwd, { ...env, ...own });
  add(name, execute(['training.cjs'], join(folder, 'installed')));
  if (!isEmulated && env.GRADSTEP_TEST_WORKERS !== '0') {
    add(name, execute(['parallel.cjs'], join(folder, 'installed')));
  }
  const isWhole = isFull || names.includes(name);
  if (suite === undefined || (isLong && !isWhole)) return;
  const files = suites[isWhole ? suite : short].flatMap((path) => testFiles(path));
  // An emulated processor is 10 to 50 times slower.
  const timeout = ['--timeout', isEmulated ? '600000' : '120000'];
  const filter = except ? ['--fgrep', except, '--invert'] : [];
  const mocha = [
    'node_modules/mocha/bin/mocha.js',
    '--no-config',
    '--reporter',
    'dot',
    ...timeout,
    ...filter,
    ...files,
  ];
  add(name, execute(mocha, '.', { GRADSTEP_BINARY: targets.get(target).file }));
}

function testFiles(path) {
  const whole = join('build/ts/test', path);
  return path.endsWith('.js') ? [whole] : listFiles(whole, ['.test.js']);
}

/** Wine writes to files more reliably than to pipes. */
function spawnToFile([program, ...args], cwd, env) {
  const log = resolve(folder, 'log');
  const output = openSync(log, 'w');
  const options = { cwd, env: { ...process.env, ...env }, stdio: ['ignore', output, output] };
  const { status, signal, error } = spawnSync(program, args, { ...options, timeout: 1_200_000, killSignal: 'SIGKILL' });
  closeSync(output);
  return { text: readFileSync(log, 'utf8'), end: error?.message ?? signal ?? status };
}

/** Shows what a program said and counted; one that fails or ends without a count is one more failure. */
function add(name, { text, end }) {
  const sum = (pattern) => [...text.matchAll(pattern)].reduce((total, [, number]) => total + Number(number), 0);
  const passed = sum(/(\d+) passing/g) + sum(/^(\d+) passed, \d+ failed/gm);
  const failed = sum(/(\d+) failing/g) + sum(/^\d+ passed, (\d+) failed/gm);
  const lost = failed === 0 && (end !== 0 || passed === 0) ? 1 : 0;
  if (failed + lost > 0) console.log(text);
  else console.log(text.replace(/^[\s․,!.]*\n/gm, '').replace(/^/gm, '  '));
  if (lost) console.log(`${name} ended with ${end}\n0 passed, 1 failed`);
  failures += failed + lost;
}
