import { clipByGlobalNorm, runtime } from 'gradstep';
import type { Bench, Case } from '../bench';
import { showCount, showThreads, showVariables } from '../data';
import { timed } from '../harness';
import { adamBytes, adamSide, pairsOf } from '../ours';
import type { Goal } from '../results';
import { unchecked, type Side } from '../sides';

/** A norm that the gradients of n elements exceed about twice, so that clipping has something to do. */
const clipNormOf = (n: number): number => 0.25 * Math.sqrt(n);

/** The whole of clipping against the step alone: reading the gradients once more is all it should cost. */
async function clipCost(bench: Bench, n: number): Promise<void> {
  const clipNorm = clipNormOf(n);
  await bench.contest(
    `clip ${showCount(n)} parameters in one variable, ${showThreads(runtime.threads)}`,
    () => {
      // Both on the same variable: beside caches, pages make a difference too.
      const pairs = pairsOf([n]);
      return [unchecked(adamSide('clip + Adam', pairs, { clipNorm })), unchecked(adamSide('Adam alone', pairs))];
    },
    {
      work: { parameters: n, bytes: adamBytes(n) + 4 * n },
      goals: n >= 2 ** 22 ? [{ against: 'Adam alone', atMost: 1.2 }] : [],
    },
  );
}

/** Against PyTorch, and against one variable of as many elements. */
async function manyVariables(bench: Bench, count: number, each: number, goals: readonly Goal[]): Promise<void> {
  const n = count * each;
  const clipNorm = clipNormOf(n);
  const { threads } = runtime;
  const sizes = Array.from({ length: count }, () => each);
  await bench.contest(
    `clip ${showVariables(count)} of ${each.toLocaleString('en-US')}, ${showThreads(threads)}`,
    async () => {
      const torch = await bench.peers.torch();
      const torchSide = async (name: string, foreach: boolean): Promise<Side | null> =>
        torch && (await torch.side(name, 'adam', threads, { sizes, foreach, clipNorm }));
      return [
        adamSide('gradstep', pairsOf(sizes), { clipNorm }),
        await torchSide('PyTorch', false),
        await torchSide('PyTorch foreach', true),
        unchecked(adamSide('one variable', pairsOf([n]), { clipNorm })),
      ];
    },
    {
      work: { parameters: n, bytes: adamBytes(n) + 4 * n },
      goals,
      // PyTorch clips what it clipped before: after three steps the gradients still differ by nothing but rounding.
      tolerance: 1e-5,
      scale: 1,
    },
  );
}

/** The step alone, with nothing beside it. */
async function alone(bench: Bench, count: number, each: number, goal: Goal): Promise<void> {
  await bench.contest(
    `clip applyGradients alone, ${showVariables(count)} of ${each}, ` + showThreads(runtime.threads),
    () => [adamSide('gradstep', pairsOf(Array.from({ length: count }, () => each)))],
    { work: { parameters: count * each }, goals: [goal] },
  );
}

export const clip: Case = {
  name: 'clip',
  about: 'clipByGlobalNorm and Adam together, over few and many variables',
  async run(bench) {
    for (const n of bench.isQuick ? [2 ** 22] : [2 ** 20, 2 ** 25]) await clipCost(bench, n);
    await manyVariables(bench, 1000, 1024, [
      { against: 'one variable', atMost: 1.5 },
      { against: 'PyTorch', atLeast: 20 },
    ]);
    if (!bench.isQuick) await manyVariables(bench, 10_000, 64, [{ atMost: 2e-3 }]);
    await alone(bench, 10_000, 64, { atMost: 2e-3 });

    runtime.threads = 1;
    await alone(bench, 1, 16, { atMost: 1.5e-6 });
    await bench.contest('clip clipByGlobalNorm alone, 1 variable of 16, 1 thread', () => {
      const { pairs } = pairsOf([16]);
      return [timed('gradstep', () => void clipByGlobalNorm(pairs, 1))];
    });
    runtime.threads = bench.allThreads;
  },
};
