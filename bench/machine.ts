import { arch, cpus, loadavg, release, totalmem, type } from 'node:os';
import { runtime } from 'gradstep';
import { native } from '../lib/native';
import type { Bench } from './bench';
import { numbers, shared, showThreads } from './data';
import { compiled, limit } from './limit';
import type { Machine } from './results';
import { spreadOf } from './statistics';
import { bytesPerParameter, limitLoop } from './traffic';

export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model ?? arch(),
    cores: cpus().length,
    memoryBytes: totalmem(),
    os: `${type()} ${release().split('-')[0]} ${arch()}`,
    node: process.versions.node,
    gradstep: runtime.version,
    isa: runtime.isa,
    load: loadavg()[0]!,
  };
}

/** The bytes of one of the two arrays: in a first-level cache, a second-level one, a shared one, memory. */
const sizes = [8 << 10, 128 << 10, 2 << 20, 256 << 20];

/** What the machine can do at best: reading, copying and moving what each rule moves, with one thread and with all. */
export function measureMachine(bench: Bench): void {
  measureDivision(bench);
  const x = numbers(sizes.at(-1)! / 4, 5, 1);
  const y = shared(x.length);
  const threadCounts = [...new Set([1, bench.allThreads])];
  for (const bytes of sizes) {
    const [from, to] = [x.subarray(0, bytes / 4), y.subarray(0, bytes / 4)];
    // Of the caches only one thread's share is known here, and threads of the limit loops start slowly.
    for (const threads of bytes < 32 << 20 ? [1] : threadCounts) {
      const measure = (what: string, moved: number, work: () => void): void =>
        bench.measure(`machine ${what} ${showBytes(bytes)}, ${showThreads(threads)}`, () => ({
          value: moved / secondsPerCall(work, bytes),
          unit: 'B/s',
        }));
      measure('read', bytes, limit.read(threads, from));
      measure('copy', 2 * bytes, limit.copy(threads, to, from));
    }
  }
  for (const threads of threadCounts) measureLoops(bench, [x, y], threads);
}

/** Each other rule moves what one of these does. */
const typical = ['gradientDescent', 'momentum', 'adam', 'amsGrad', 'lars', 'lamb'];

/** The limit loops, where no cache holds their arrays. */
function measureLoops(bench: Bench, memory: readonly Float32Array[], threads: number): void {
  const n = 2 ** 23;
  const arrays = memory.flatMap((array) => [0, n, 2 * n].map((start) => array.subarray(start, start + n)));
  for (const rule of native.rules.filter(({ name }) => typical.includes(name))) {
    const bytes = n * bytesPerParameter(rule);
    const loop = limitLoop(rule, arrays, threads);
    bench.measure(`machine loop that moves what ${rule.name} does, ${showThreads(threads)}`, () => ({
      value: bytes / secondsPerCall(loop, bytes),
      unit: 'B/s',
    }));
  }
}

function showBytes(bytes: number): string {
  return bytes < 1 << 20 ? `${bytes >> 10} KiB` : `${bytes >> 20} MiB`;
}

/** What no update rule with a root and a quotient can be faster than, wherever its arrays are. */
function measureDivision(bench: Bench): void {
  const n = 2048; // 24 KiB in three arrays: in the first-level cache
  const [y, x, z] = [shared(n), numbers(n, 5, 1), numbers(n, 7, 1)];
  bench.measure('machine quotient and root, in vectors', () => ({
    value: (secondsPerCall(() => compiled.divide(y, x, z), 4 * n) / n) * 1e9,
    unit: 'ns each',
  }));
}

function secondsPerCall(work: () => void, bytes: number): number {
  const calls = Math.max(1, Math.round((32 << 20) / bytes));
  const turn = (): number => {
    const start = performance.now();
    for (let i = 0; i < calls; i++) work();
    return (performance.now() - start) / 1000 / calls;
  };
  turn();
  return spreadOf(Array.from({ length: 9 }, turn)).median;
}
