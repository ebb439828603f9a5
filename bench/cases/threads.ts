import { AdamOptimizer } from 'gradstep';
import type { Case } from '../bench';
import { showCount } from '../data';
import { adamBytes, adamSide, pairsOf } from '../ours';
import { unchecked } from '../sides';

export const threads: Case = {
  name: 'threads',
  about: 'all threads against one, on the same memory',
  async run(bench) {
    if (bench.allThreads === 1) return;
    for (const power of bench.isQuick ? [17, 19] : [14, 15, 16, 17, 18, 19, 20, 22, 24]) {
      const n = 2 ** power;
      await bench.contest(
        `threads Adam on ${showCount(n)} parameters`,
        () => {
          const pairs = pairsOf([n]);
          const optimizer = new AdamOptimizer();
          const side = (name: string, count: number) => unchecked(adamSide(name, pairs, { optimizer, threads: count }));
          return [side(`${bench.allThreads} threads`, bench.allThreads), side('one thread', 1)];
        },
        {
          work: { parameters: n, bytes: adamBytes(n) },
          goals: power >= 17 && power <= 19 ? [{ against: 'one thread', atLeast: 1.6 }] : [],
          patience: 2,
        },
      );
    }
  },
};
