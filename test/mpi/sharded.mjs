// Optimizers whose slots are divided by ranks that are processes.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, expectMatch, launch } from './kit.mjs';

export function tests({ mpis, isFull }) {
  const pairs = isFull
    ? [1, 2, 3, 4].flatMap((before) => [1, 2, 3, 4].map((after) => [before, after]))
    : [
        [2, 3],
        [3, 1],
        [1, 2],
      ];
  return Object.fromEntries(
    mpis.flatMap((mpi) =>
      pairs.map(([before, after]) => [
        `sharded steps have the bytes of one process, and go on on another number of ranks (${mpi}, ${before}, then ${after})`,
        async () => {
          const folder = mkdtempSync(join(tmpdir(), 'gradstep-mpi-sharded-'));
          try {
            const saved = await launch(mpi, before, 'sharded.mjs', { args: [folder] });
            expect(saved.status === 0, 'all ranks end well', saved);
            for (let rank = 0; rank < before; rank++)
              expectMatch(saved, new RegExp(`rank ${rank} of ${before}: saved`));
            const restored = await launch(mpi, after, 'sharded.mjs', { args: [folder, before] });
            expect(restored.status === 0, 'all ranks end well', restored);
            for (let rank = 0; rank < after; rank++) {
              expectMatch(restored, new RegExp(`rank ${rank} of ${after}: went on`));
            }
          } finally {
            rmSync(folder, { recursive: true, force: true });
          }
        },
      ]),
    ),
  );
}
