import { arch, cpus, loadavg, release, totalmem, type } from 'node:os';
import { runtime } from 'gradstep';
import { numbers, shared } from './data';
import { limit } from './limit';
import type { Bench } from './bench';
import type { Machine } from './results';
import { spreadOf } from './statistics';

export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model ?? arch(),
    cores: cpus().length,
    memoryBytes: totalmem(),
    os: `${type()} ${release()} ${arch()}`,
    node: process.versions.node,
    gradstep: runtime.version,
    isa: runtime.isa,
    load: loadavg()[0]!,
  };
}

/** The bytes of one of the two arrays: in a first-level cache, a second-level one, a shared one, memory. */
const sizes = [8 << 10, 128 << 10, 2 << 20, 256 << 20];

/** What the machine can do at best: reading and copying, with one thread and with all. */
export function measureMachine(bench: Bench): void {
  measureDivision(bench);
  const x = numbers(sizes.at(-1)! / 4, 5, 1);
  const y = shared(x.length);
  for (const bytes of sizes) {
    // Of the caches only one thread's share is known here, and threads of the limit loops start slowly.
    const counts = bytes < 32 << 20 ? [1] : [...new Set([1, bench.allThreads])];
    for (const threads of counts) {
      const [from, to] = [x.subarray(0, bytes / 4), y.subarray(0, bytes / 4)];
      const name = (what: string): string =>
        `machine ${what} ${showBytes(bytes)}, ${threads} thread${threads === 1 ? '' : 's'}`;
      const read = secondsPerCall(() => limit.read(threads, from), bytes);
      const copied = secondsPerCall(() => limit.copy(threads, to, from), bytes);
      bench.measure({ id: name('read'), value: bytes / read, unit: 'B/s' });
      bench.measure({ id: name('copy'), value: (2 * bytes) / copied, unit: 'B/s' });
    }
  }
}

function showBytes(bytes: number): string {
  return bytes < 1 << 20 ? `${bytes >> 10} KiB` : `${bytes >> 20} MiB`;
}

/** What no update rule with a root and a quotient can be faster than, wherever its arrays are. */
function measureDivision(bench: Bench): void {
  const n = 2048; // 24 KiB in three arrays: in the first-level cache
  const [y, x, z] = [shared(n), numbers(n, 5, 1), numbers(n, 7, 1)];
  const seconds = secondsPerCall(() => limit.divide(1, y, x, z), 4 * n);
  bench.measure({ id: 'machine quotient and root, in vectors', value: (seconds / n) * 1e9, unit: 'ns each' });
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
