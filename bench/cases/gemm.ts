import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench, Case } from '../bench';
import { root } from '../paths';

const program = join(root, 'build', 'cmake', 'release', 'gemm_bench');

/** Builds what is stale, where CMake is installed. The program finds OpenBLAS by itself when it runs. */
function build(): boolean {
  const run = (args: string[]): boolean =>
    spawnSync('cmake', args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] }).status === 0;
  return run(['--preset', 'release']) && run(['--build', '--preset', 'release', '-j', '2', '--target', 'gemm_bench']);
}

/** Its lines: `m x k x n  op  our-GF/s  their-GF/s  ratio-of-best  median-ratio`. */
const line = /^\s*(\d+) x\s+(\d+) x\s+(\d+)\s+(\S+)\s+([\d.]+)\s+([\d.]+)\s+([\d.]+)\s+([\d.]+)/;

function measureShapes(bench: Bench, threads: number, args: string[]): void {
  const seconds = bench.isQuick ? 0.1 : 0.3;
  const { status, stdout, stderr } = spawnSync(program, [`--threads=${threads}`, `--seconds=${seconds}`, ...args], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`gemm_bench: ${stderr.trim()}`);
  for (const text of stdout.split('\n')) {
    const match = line.exec(text);
    if (match === null) continue;
    const [, m, k, n, op, ours, , , median] = match;
    const id = `gemm ${m} x ${k} x ${n} ${op}, ${threads} thread${threads === 1 ? '' : 's'}`;
    bench.measure({ id: `${id}, speed`, value: Number(ours) * 1e9, unit: 'flop/s' });
    bench.measure({ id: `${id}, OpenBLAS's time / ours`, value: Number(median), unit: '×' });
  }
}

export const gemm: Case = {
  name: 'gemm',
  about: 'matrix multiplication against OpenBLAS (bench/native/gemm.cpp)',
  async run(bench) {
    // Compiling takes minutes, which a quick run does not have.
    if (bench.isQuick ? !existsSync(program) : !build()) {
      console.error('gemm: left out; it takes CMake and, for a quick run, a full one before');
      return;
    }
    const shapes = bench.isQuick ? ['--shape=64x784x256,512x512x512'] : [];
    try {
      await bench.eachThreadCount((threads) => {
        measureShapes(bench, threads, shapes);
        return Promise.resolve();
      });
    } catch (error) {
      console.error((error as Error).message); // no OpenBLAS
    }
  },
};
