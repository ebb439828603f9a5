// Compiled steps whose ranks are processes.
import { expectMatch, launch, expect, runAlone } from './kit.mjs';

export function tests({ mpis, isFull }) {
  const counts = isFull ? [1, 2, 3, 4] : [1, 2, 3];
  const each = mpis.flatMap((mpi) =>
    counts.map((ranks) => [
      `compiled steps have the bytes of eager ones and of one process (${mpi}, ${ranks})`,
      async () => {
        const result = await launch(mpi, ranks, 'compiled.mjs');
        expect(result.status === 0, 'all ranks end well', result);
        for (let rank = 0; rank < ranks; rank++)
          expectMatch(result, new RegExp(`rank ${rank} of ${ranks}: as it should be`));
      },
    ]),
  );
  const ends = mpis.flatMap((mpi) =>
    ['at once', 'async', 'at once, divided', 'async, divided'].map((how) => [
      `a rank that leaves ends the steps of the others, which change nothing (${mpi}, ${how})`,
      async () => {
        const result = await launch(mpi, 3, 'compiled-ends.mjs', { args: ['leave', ...how.split(', ')] });
        for (const rank of [0, 1]) {
          expectMatch(result, new RegExp(`rank ${rank}: CommunicatorAborted, nothing has changed: .*rank 2`));
        }
      },
    ]),
  );
  return {
    ...Object.fromEntries([...each, ...ends]),
    'compiled steps run without mpirun': async () => {
      const result = await runAlone('compiled.mjs');
      expect(result.status === 0, 'it ends well', result);
    },
  };
}
