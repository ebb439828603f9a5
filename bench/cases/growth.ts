import { freemem } from 'node:os';
import { AdamOptimizer } from 'gradstep';
import type { Case } from '../bench';
import { showCount } from '../data';
import { timed } from '../harness';
import { limit } from '../limit';
import { adamBytes, adamSide, pairsOf } from '../ours';
import { unchecked } from '../sides';

export const growth: Case = {
  name: 'growth',
  about: 'Adam from a thousand parameters to as many as memory holds, and from one variable to 100,000',
  async run(bench) {
    const powers = bench.isQuick ? [10, 14, 18, 22] : [10, 12, 14, 16, 18, 20, 22, 24, 26, 28];
    await bench.eachThreadCount(async (threads) => {
      for (const n of powers.map((power) => 2 ** power)) {
        if (16 * n > freemem() / 2) continue; // four arrays
        const pairs = pairsOf([n]);
        const optimizer = new AdamOptimizer();
        const ours = unchecked(adamSide('gradstep', pairs, { optimizer }));
        await ours.turn(1);
        const [g, ...written] = pairs.arrays(optimizer)[0]!;
        // Its threads start too slowly for small arrays.
        const isLimit = threads === 1 || n >= 2 ** 22;
        await bench.contest(
          `growth ${showCount(n)} parameters, ${threads} thread${threads === 1 ? '' : 's'}`,
          [ours, isLimit ? timed('limit', () => limit.update(threads, g!, ...written)) : null],
          { work: { parameters: n, bytes: adamBytes(n) } },
        );
      }
    });
    const total = bench.isQuick ? 2 ** 17 : 2 ** 20;
    for (const count of [1, 10, 100, 1000, 10_000, 100_000]) {
      const sizes = Array.from({ length: count }, () => Math.ceil(total / count));
      const n = sizes.length * sizes[0]!;
      await bench.contest(
        `growth ${showCount(total)} parameters in ${count.toLocaleString('en-US')} variables`,
        [adamSide('gradstep', pairsOf(sizes))],
        { work: { parameters: n, bytes: adamBytes(n) } },
      );
    }
  },
};
