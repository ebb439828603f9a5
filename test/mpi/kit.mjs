// What the tests of MPI share: programs that are run by the mpirun of Open MPI, of MPICH, and of MPICH behind the interface of
// MPI 5's standard.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../scripts/files.mjs';

/** Where what the tests make lies. */
export const folder = join(root, 'build/mpi');
const shim = join(folder, 'libmpi_abi.so.0');

const isRoot = process.getuid?.() === 0;

/** How each MPI starts programs, and what programs find of it. */
export const mpis = {
  openmpi: {
    family: 'openmpi',
    start: (ranks) => [
      'mpirun.openmpi',
      ...(isRoot ? ['--allow-run-as-root'] : []),
      // More ranks than processors, and no privilege to read another process's memory, as in containers.
      ...['--oversubscribe', '--mca', 'btl_vader_single_copy_mechanism', 'none', '-n', `${ranks}`],
    ],
    env: {},
  },
  mpich: { family: 'mpich', start: (ranks) => ['mpirun.mpich', '-n', `${ranks}`], env: {} },
  abi: { family: 'standard', start: (ranks) => ['mpirun.mpich', '-n', `${ranks}`], env: { GRADSTEP_MPI_LIB: shim } },
};

const isInstalled = (program) => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;

/** Debian's packages of both, which do not get into each other's way. */
export function installMpis() {
  const packages = [
    ...(isInstalled('mpirun.openmpi') ? [] : ['openmpi-bin', 'libopenmpi3']),
    ...(isInstalled('mpirun.mpich') ? [] : ['mpich']),
  ];
  if (packages.length === 0) return;
  if (!isRoot) throw new Error(`not installed: apt-get install ${packages.join(' ')}`);
  console.log(`installing ${packages.join(', ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  spawnSync('apt-get', ['update', '-qq'], { stdio: 'inherit', env });
  const { status } = spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env,
  });
  if (status !== 0) throw new Error(`apt-get install ${packages.join(' ')} has failed`);
}

/** MPI 5's standard interface over MPICH: no library of Debian 12 has it yet. */
export function buildShim() {
  const source = join(root, 'test/mpi/abi/shim.c');
  mkdirSync(folder, { recursive: true });
  if (existsSync(shim) && statSync(shim).mtimeMs > statSync(source).mtimeMs) return;
  const { status, stderr } = spawnSync('gcc', [
    '-shared',
    '-fPIC',
    '-O1',
    '-Wall',
    '-Wextra',
    '-o',
    shim,
    source,
    '-ldl',
  ]);
  if (status !== 0) throw new Error(`gcc: ${stderr}`);
}

/**
 * Runs a program of test/mpi/programs on so many ranks, until all of it has ended.
 * @returns its exit code, what it printed and how long it took.
 */
export function launch(mpi, ranks, program, { args = [], env = {}, seconds = 90, start, onStart } = {}) {
  const { start: usual, env: needed } = mpis[mpi];
  const [command, ...options] = (start ?? usual)(ranks);
  const file = program.startsWith('/') ? program : join(root, 'test/mpi/programs', program);
  return runProgram(command, [...options, process.execPath, file, ...args.map(String)], {
    env: { ...needed, ...env },
    seconds,
    onStart,
  });
}

/** The same without mpirun. */
export function runAlone(program, { args = [], env = {}, seconds = 60 } = {}) {
  return runProgram(process.execPath, [join(root, 'test/mpi/programs', program), ...args.map(String)], {
    env,
    seconds,
  });
}

export function runProgram(command, args, { env = {}, seconds = 60, onStart } = {}) {
  return new Promise((resolve) => {
    const began = performance.now();
    // Ranks share what processors there are: one thread each. Variables of an mpirun that started this are not theirs.
    const inherited = Object.entries(process.env).filter(
      ([name]) => !/^(OMPI|PMIX?|MPI|HYD|SLURM|GRADSTEP)_/.test(name),
    );
    const child = spawn(command, args, {
      cwd: root,
      env: { ...Object.fromEntries(inherited), GRADSTEP_THREADS: '1', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    let output = '';
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      try {
        process.kill(-child.pid, 'SIGKILL');
      } catch {
        // It has just ended.
      }
    }, seconds * 1000);
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        output += text;
      });
    }
    onStart?.(child, () => output);
    // What a lost host leaves behind may keep the pipes.
    child.on('exit', (...ended) => setTimeout(end, 2000, ...ended));
    child.on('close', end);
    let hasEnded = false;
    function end(status, signal) {
      if (hasEnded) return;
      hasEnded = true;
      clearTimeout(timer);
      child.stdout.destroy();
      child.stderr.destroy();
      if (isLate) output += `\n[killed after ${seconds} s]`;
      resolve({ status, signal, output, isLate, seconds: (performance.now() - began) / 1000 });
    }
  });
}

export function expect(isSo, what, { output = '', status, signal } = {}) {
  if (!isSo) throw new Error(`${what}; exit code ${status ?? signal}, output:\n${output.slice(-4000)}`);
}

export function expectMatch(result, pattern, what = `the output has ${pattern}`) {
  expect(pattern.test(result.output), what, result);
}
