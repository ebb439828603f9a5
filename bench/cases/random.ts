import { native } from '../../lib/native';
import type { Bench, Case } from '../bench';
import { numbers, shared, showCount, showThreads } from '../data';
import { timed } from '../harness';
import { limit } from '../limit';
import { philoxUniform } from '../peers/plain-philox';
import { sampled, type Side } from '../sides';

const key = 1;

/** Numbers against the memory that they are written to, a loop of Math.random, and the same Philox in JavaScript. */
async function uniform(bench: Bench, n: number, threads: number): Promise<void> {
  await bench.contest(
    `random uniform, ${showCount(n)} numbers, ${showThreads(threads)}`,
    () => {
      const [ours, filled, random, plain] = [shared(n), shared(n), shared(n), shared(n)];
      const philox = (): void => philoxUniform(plain, key, 0);
      return [
        { ...timed('gradstep', () => native.randomUniform(ours, key, 0, 0, 0, 1)), result: () => sampled(ours) },
        timed('fill', () => void filled.fill(1)),
        timed('Math.random', () => {
          for (let i = 0; i < n; i++) random[i] = Math.random();
        }),
        { ...timed('plain JavaScript', philox), result: () => sampled(plain) },
      ];
    },
    { work: { parameters: n, bytes: 4 * n }, tolerance: 0, goals: [{ against: 'Math.random', atLeast: 5 }] },
  );
}

/** Box and Muller's method, as one would write it. */
function boxMuller(out: Float32Array): void {
  for (let i = 0; i < out.length; i += 2) {
    const radius = Math.sqrt(-2 * Math.log(1 - Math.random()));
    const angle = 2 * Math.PI * Math.random();
    out[i] = radius * Math.cos(angle);
    out[i + 1] = radius * Math.sin(angle);
  }
}

async function normal(bench: Bench, n: number, threads: number, truncated: boolean): Promise<void> {
  await bench.contest(
    `random ${truncated ? 'truncated ' : ''}normal, ${showCount(n)} numbers, ${showThreads(threads)}`,
    () => {
      const [ours, plain] = [shared(n), shared(n)];
      return [
        timed('gradstep', () => native.randomNormal(ours, key, 0, 0, 0, 1, truncated)),
        truncated ? null : timed('Box-Muller', () => boxMuller(plain)),
      ];
    },
    { work: { parameters: n, bytes: 4 * n } },
  );
}

async function dropout(bench: Bench, n: number, threads: number): Promise<void> {
  await bench.contest(
    `random dropout, ${showCount(n)} numbers, ${showThreads(threads)}`,
    (): Side[] => {
      const [x, ours, theirs] = [numbers(n, 5, 1), shared(n), shared(n)];
      return [
        timed('gradstep', () => native.dropout(ours, x, key, 0, 0, 0.1)),
        timed('limit', limit.copy(threads, theirs, x)),
      ];
    },
    { work: { parameters: n, bytes: 8 * n }, goals: n >= 2 ** 22 ? [{ against: 'limit', atLeast: 0.9 }] : [] },
  );
}

export const random: Case = {
  name: 'random',
  about: 'random numbers and dropout against memory, Math.random and Philox in JavaScript',
  async run(bench) {
    const sizes = bench.isQuick ? [2 ** 14, 2 ** 22] : [2 ** 10, 2 ** 14, 2 ** 18, 2 ** 22, 2 ** 25];
    await bench.eachThreadCount(async (threads) => {
      for (const n of sizes) {
        await uniform(bench, n, threads);
        await normal(bench, n, threads, false);
        await normal(bench, n, threads, true);
        await dropout(bench, n, threads);
      }
    });
  },
};
