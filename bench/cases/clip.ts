import { clipByGlobalNorm, runtime } from 'gradstep';
import type { Bench, Case } from '../bench';
import { showCount } from '../data';
import { timed } from '../harness';
import { adamBytes, adamSide, pairsOf } from '../ours';
import { unchecked, type Side } from '../sides';

/** A norm that the gradients of n elements exceed about twice, so that clipping has something to do. */
const clipNormOf = (n: number): number => 0.25 * Math.sqrt(n);

/** The whole of clipping against the step alone: reading the gradients once more is all it should cost. */
async function clipCost(bench: Bench, n: number): Promise<void> {
  const clipNorm = clipNormOf(n);
  // Both on the same variable: beside caches, pages make a difference too.
  const pairs = pairsOf([n]);
  const clipped = unchecked(adamSide('clip + Adam', pairs, { clipNorm }));
  const alone = unchecked(adamSide('Adam alone', pairs));
  await bench.contest(`clip ${showCount(n)} parameters in one variable, ${runtime.threads} threads`, [clipped, alone], {
    work: { parameters: n, bytes: adamBytes(n) + 4 * n },
    goals: [{ against: 'Adam alone', atMost: 1.2 }],
  });
}

async function manyVariables(bench: Bench, count: number, each: number, goals: 'relative' | 'absolute'): Promise<void> {
  const n = count * each;
  const clipNorm = clipNormOf(n);
  const torch = await bench.peers.torch();
  const sizes = Array.from({ length: count }, () => each);
  const torchSide = async (name: string, foreach: boolean): Promise<Side | null> =>
    torch && (await torch.side(name, 'adam', runtime.threads, { sizes, foreach, clipNorm }));
  const one = adamSide('one variable', pairsOf([n]), { clipNorm });
  await bench.contest(
    `clip ${count.toLocaleString('en-US')} variables of ${each.toLocaleString('en-US')}, ${runtime.threads} threads`,
    [
      adamSide('gradstep', pairsOf(sizes), { clipNorm }),
      await torchSide('PyTorch', false),
      await torchSide('PyTorch foreach', true),
      unchecked(one),
    ],
    {
      work: { parameters: n, bytes: adamBytes(n) + 4 * n },
      goals: goals === 'relative' ? [{ against: 'one variable', atMost: 1.5 }] : [{ atMost: 2e-3 }],
      // PyTorch clips what it clipped before: after three steps the gradients still differ by nothing but rounding.
      tolerance: 1e-5,
      scale: 1,
    },
  );
}

export const clip: Case = {
  name: 'clip',
  about: 'clipByGlobalNorm and Adam together, over few and many variables',
  async run(bench) {
    for (const n of bench.isQuick ? [2 ** 22] : [2 ** 20, 2 ** 25]) await clipCost(bench, n);
    await manyVariables(bench, 1000, 1024, 'relative');
    await manyVariables(bench, 10_000, 64, 'absolute');

    runtime.threads = 1;
    await bench.contest('clip applyGradients alone, one variable of 16', [adamSide('gradstep', pairsOf([16]))], {
      work: { parameters: 16 },
      goals: [{ atMost: 1.5e-6 }],
    });
    const { pairs } = pairsOf([16]);
    await bench.contest('clip clipByGlobalNorm alone, one variable of 16', [
      timed('gradstep', () => void clipByGlobalNorm(pairs, 1)),
    ]);
    runtime.threads = bench.allThreads;
  },
};
