import { freemem } from 'node:os';
import { AdamOptimizer, runtime } from 'gradstep';
import type { Bench, Case, Sides } from '../bench';
import { showCount, showThreads, showVariables } from '../data';
import { timed } from '../harness';
import { limit } from '../limit';
import { adamBytes, adamSide, pairsOf } from '../ours';
import { unchecked } from '../sides';

/** From here on no cache holds four arrays: a step larger than this costs what memory does, and no more. */
const cachesEnd = 2 ** 22;
const mostGrowth = 1.15;
/** Of each variable, where it is their number that grows. */
const elements = 64;

/** The limit loop on our own arrays; over many variables, on the one variable that has as many elements. */
async function againstLimit(sizes: readonly number[], threads: number): Promise<Sides> {
  const n = sizes.reduce((sum, size) => sum + size);
  const pairs = pairsOf(sizes);
  const optimizer = new AdamOptimizer();
  const ours = unchecked(adamSide('gradstep', pairs, { optimizer }));
  await ours.turn(1);
  const [g, ...written] = sizes.length === 1 ? pairs.arrays(optimizer)[0]! : arraysOf(n);
  return [ours, timed('limit', limit.update(threads, g!, ...written))];
}

function arraysOf(n: number): Float32Array[] {
  const optimizer = new AdamOptimizer();
  const pairs = pairsOf([n]);
  optimizer.applyGradients(pairs.pairs);
  return pairs.arrays(optimizer)[0]!;
}

/** By how much a parameter's time grows at most from where caches end to the largest size. */
function measureGrowth(bench: Bench, threads: number): void {
  const large = bench.contests.filter(
    ({ id, work, timings }) =>
      id.startsWith('growth') &&
      id.endsWith(`parameters, ${showThreads(threads)}`) &&
      work.parameters! >= cachesEnd &&
      timings.length > 0,
  );
  if (large.length < 2) return;
  const times = large.map(({ work, timings }) => timings[0]!.time.median / work.parameters!);
  const last = showCount(large.at(-1)!.work.parameters!);
  bench.measure(`growth of a parameter's time, ${showCount(cachesEnd)} to ${last}, ${showThreads(threads)}`, () => ({
    value: Math.max(...times) / times[0]!,
    unit: '×',
    atMost: mostGrowth,
  }));
}

export const growth: Case = {
  name: 'growth',
  about: 'Adam from a thousand parameters to as many as memory holds, and from one variable to 100,000',
  async run(bench) {
    const powers = bench.isQuick ? [10, 14, 18, 22, 24] : [10, 12, 14, 16, 17, 18, 19, 20, 22, 24, 26, 28];
    await bench.eachThreadCount(async (threads) => {
      for (const n of powers.map((power) => 2 ** power)) {
        const id = `growth ${showCount(n)} parameters, ${showThreads(threads)}`;
        if (1.2 * 16 * n > freemem()) console.error(`${id}: left out, as memory does not hold it`);
        else
          await bench.contest(id, () => againstLimit([n], threads), { work: { parameters: n, bytes: adamBytes(n) } });
      }
      measureGrowth(bench, threads);
    });
    runtime.threads = 1;
    for (const count of [1, 10, 100, 1000, 10_000, ...(bench.isQuick ? [] : [100_000])]) {
      const n = count * elements;
      await bench.contest(
        `growth ${showVariables(count)} of ${elements}, 1 thread`,
        () =>
          againstLimit(
            Array.from({ length: count }, () => elements),
            1,
          ),
        { work: { parameters: n, bytes: adamBytes(n), variables: count } },
      );
    }
    runtime.threads = bench.allThreads;
  },
};
