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
  return {
    ...Object.fromEntries(each),
    'compiled steps run without mpirun': async () => {
      const result = await runAlone('compiled.mjs');
      expect(result.status === 0, 'it ends well', result);
    },
  };
}
