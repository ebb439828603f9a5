import { expect } from 'chai';
import fc from 'fast-check';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { restoreCheckpoint } from 'gradstep/checkpoint';
import { save } from '../../lib/checkpoint/save';
import { countingModel } from '../support/checkpoint-model';
import { LosingDisk } from '../support/losing-disk';
import { collectWarnings } from '../support/warnings';

const sizes = [3, 100];

/** Saves steps 1 to 3 on a disk that loses its power after some operations. Returns the last step that was said to be saved. */
async function saveUntilDark(disk: LosingDisk, keep: number): Promise<number> {
  const { parts, set } = countingModel(sizes);
  let last = 0;
  try {
    for (const step of [1, 2, 3]) {
      set(step);
      await save(disk, '/runs/one', parts, { keep });
      last = step;
    }
  } catch {
    // that was it
  }
  return last;
}

describe('a loss of power while a checkpoint is saved', function () {
  this.timeout(60_000);
  collectWarnings(); // of folders that could not be removed
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'gradstep-power-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('leaves the last or the new one, whatever of all that was not synced is lost', async () => {
    const all = new LosingDisk();
    expect(await saveUntilDark(all, 1)).to.equal(3);
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.nat(all.operations),
        fc.constantFrom(1, 2),
        fc.infiniteStream(fc.boolean()),
        async (endsAfter, keep, lost) => {
          const disk = new LosingDisk();
          disk.endsAfter = endsAfter;
          const said = await saveUntilDark(disk, keep);
          const at = join(folder, String(runs++));
          await disk.ensureFolder('/runs/one');
          disk.materialize('/runs/one', at, () => lost.next().value as boolean);
          const { parts, step } = countingModel(sizes);
          const restored = await restoreCheckpoint(at, parts);
          expect(restored?.step ?? 0).to.be.within(said, said + 1);
          if (restored === null) return;
          expect(step()).to.equal(restored.step);
          expect(restored.damaged).to.deep.equal([]);
        },
      ),
      { numRuns: 400 },
    );
  });

  it('would leave less if files, their folder or its name were not synced', async () => {
    // Proves that the test above can fail: each of these is a disk that lies.
    for (const lie of ['file', 'folder'] as const) {
      let bad = 0;
      for (let endsAfter = 1; endsAfter < 40; endsAfter++) {
        const disk = new LosingDisk();
        disk.endsAfter = endsAfter;
        if (lie === 'folder') disk.syncFolder = () => Promise.resolve();
        else {
          const create = disk.create.bind(disk);
          disk.create = async (path) => ({ ...(await create(path)), sync: () => Promise.resolve() });
        }
        const said = await saveUntilDark(disk, 1);
        await disk.ensureFolder('/runs/one');
        const at = join(folder, `${lie}-${endsAfter}`);
        disk.materialize('/runs/one', at, () => true);
        const { parts } = countingModel(sizes);
        const step = await restoreCheckpoint(at, parts).then(
          (restored) => restored?.step ?? 0,
          () => -1,
        );
        if (step < said) bad++;
      }
      expect(bad, lie).to.be.above(0);
    }
  });
});
