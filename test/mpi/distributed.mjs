// Trainings on 1 to 4 ranks of each MPI, with DistributedOptimizer.
import { expect, expectMatch, launch } from './kit.mjs';

const sizes = [1, 2, 3, 4];
const own = 'RangeError: no such batch';
const others = `Error: rank 1 has no gradients for this step: ${own}`;

export function tests({ mpis, isFull }) {
  const all = {};
  for (const mpi of mpis) {
    for (const size of sizes) {
      all[`${size} ranks of ${mpi} train with the bytes of one process`] = async () => {
        const seed = isFull ? Date.now() % 1e6 : 11 * size;
        const result = await launch(mpi, size, 'distributed.mjs', { args: [seed, isFull ? 400 : 40], seconds: 300 });
        expect(result.status === 0, `seed ${seed}`, result);
        for (let rank = 0; rank < size; rank++) {
          expectMatch(result, new RegExp(`rank ${rank} of ${size}: \\d+ trainings`));
          if (size === 1) continue;
          expectMatch(result, new RegExp(`the loss throws, rank ${rank}: ${rank === 1 ? own : others}; goes on`));
          expectMatch(
            result,
            new RegExp(`another order, rank ${rank}: RangeError: ranks .* of different variables: at 0`),
          );
          expectMatch(result, new RegExp(`drifting, rank ${rank}: found after 4`));
        }
      };
    }
  }
  return all;
}
