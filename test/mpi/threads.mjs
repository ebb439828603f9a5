// Threads of each rank.
import { expect, expectMatch, launch } from './kit.mjs';

export function tests({ mpis, isFull }) {
  const all = {};
  for (const mpi of mpis.filter((name) => isFull || name !== 'abi')) {
    all[`threads of ranks of ${mpi} call for them`] = async () => {
      const result = await launch(mpi, 2, 'workers.mjs', { args: ['calls'] });
      expect(result.status === 0, 'all is well', result);
      expectMatch(result, /rank 1: mpi\.init\(\) is called in the main thread/);
      expectMatch(result, /rank 0: met/);
    };
    for (const way of ['waits', 'begins']) {
      all[`a thread of ${mpi} that ends while it ${way} ends the calls of all`] = async () => {
        const result = await launch(mpi, 2, 'workers.mjs', { args: [way] });
        for (const rank of [0, 1]) {
          const said = `rank ${rank}: CommunicatorAborted: .*a thread of rank 0 on \\S+ has ended in the middle of a call`;
          expectMatch(result, new RegExp(said));
        }
      };
    }
  }
  return all;
}
