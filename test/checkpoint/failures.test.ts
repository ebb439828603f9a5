import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { AdamOptimizer, createGlobalStep, MomentumOptimizer, variable } from 'gradstep';
import { CheckpointError, latestCheckpoint, restoreCheckpoint, saveCheckpoint } from 'gradstep/checkpoint';
import { manifestText, parseManifest } from '../../lib/checkpoint/manifest';
import { countingModel } from '../support/checkpoint-model';
import { collectWarnings } from '../support/warnings';

let folder: string;

async function failure(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error('it did not fail');
}

/** Saves these steps. */
async function saved(...steps: number[]): Promise<void> {
  const { parts, set } = countingModel();
  for (const step of steps) {
    set(step);
    await saveCheckpoint(folder, parts);
  }
}

const files = ['model.safetensors', 'optimizer.safetensors', 'state.json'];

describe('checkpoints', () => {
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'gradstep-checkpoint-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  describe('when the system fails', () => {
    it('says that the disk is full, and leaves nothing behind', async function () {
      const small = join(folder, 'small');
      mkdirSync(small);
      if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'none', small]).status !== 0) this.skip();
      try {
        const { parts, set } = countingModel([1000]);
        set(1);
        await saveCheckpoint(small, parts);
        const large = countingModel([100_000]);
        large.set(2);
        for (const copy of [true, false]) {
          const error = await failure(saveCheckpoint(small, large.parts, { copy }));
          expect(error).to.be.instanceOf(CheckpointError).with.property('code', 'not-saved');
          expect(error.message).to.match(/step-00000002 could not be saved: ENOSPC/);
        }
        expect(readdirSync(small)).to.deep.equal(['step-00000001']);
        expect((await restoreCheckpoint(small, parts))!.step).to.equal(1);
      } finally {
        spawnSync('umount', [small]);
      }
    });

    it('says that there is no permission', async function () {
      const locked = join(folder, 'locked');
      mkdirSync(locked);
      if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'ro', 'none', locked]).status !== 0) this.skip();
      try {
        const error = await failure(saveCheckpoint(locked, countingModel().parts));
        expect(error.message).to.match(/could not be saved: EROFS/);
        expect((error as CheckpointError).code).to.equal('not-saved');
      } finally {
        spawnSync('umount', [locked]);
      }
    });

    it('says that something else is in the way', async () => {
      writeFileSync(join(folder, 'file'), '');
      const error = await failure(saveCheckpoint(join(folder, 'file'), countingModel().parts));
      expect(error.message).to.match(/could not be saved: (EEXIST|ENOTDIR)/);
      expect((await failure(latestCheckpoint(join(folder, 'file')))).message).to.match(/ENOTDIR/);
    });

    it('lets the steps go on that have waited for it', async () => {
      writeFileSync(join(folder, 'file'), '');
      const w = variable([1], { name: 'w' });
      const optimizer = new MomentumOptimizer({ learningRate: 1, momentum: 0 });
      const saving = failure(
        saveCheckpoint(join(folder, 'file'), { variables: [w], optimizer }, { step: 1, copy: false }),
      );
      await optimizer.applyGradientsAsync([[Float32Array.of(1), w]]);
      expect(w.item()).to.equal(0);
      expect(await saving).to.be.instanceOf(CheckpointError);
    });
  });

  describe('that are damaged', () => {
    const warnings = collectWarnings();

    for (const file of files) {
      it(`are found out whatever byte of ${file} has changed, and the one before is restored`, async () => {
        await saved(1, 2);
        const path = join(folder, 'step-00000002', file);
        const { size } = statSync(path);
        const whole = readFileSync(path);
        await fc.assert(
          fc.asyncProperty(fc.nat(size - 1), fc.integer({ min: 1, max: 255 }), async (at, by) => {
            const bytes = Uint8Array.from(whole);
            bytes[at]! ^= by;
            writeFileSync(path, bytes);
            const { parts, step } = countingModel();
            const { path: from, damaged } = (await restoreCheckpoint(folder, parts))!;
            expect(from).to.equal(join(folder, 'step-00000001'));
            expect(damaged.map(({ path }) => path)).to.deep.equal([join(folder, 'step-00000002')]);
            expect(step()).to.equal(1);
            expect(warnings.splice(0).join()).to.match(/step-00000002 is damaged: .*; restored .*step-00000001/);
          }),
          { numRuns: 60 },
        );
      });

      it(`are found out when ${file} has become shorter or longer, or is gone`, async () => {
        await saved(1, 2);
        const path = join(folder, 'step-00000002', file);
        const whole = readFileSync(path);
        const damages = [
          () => truncateSync(path, whole.length - 1),
          () => truncateSync(path, 0),
          () => writeFileSync(path, Buffer.concat([whole, Buffer.of(0)])),
          () => rmSync(path),
          () => mkdirSync(path),
        ];
        for (const damage of damages) {
          damage();
          expect((await latestCheckpoint(folder))!.step).to.equal(1);
          const { parts, set, step } = countingModel();
          set(77);
          for (const ask of [
            () => restoreCheckpoint(folder, parts, { step: 2 }),
            () => restoreCheckpoint(join(folder, 'step-00000002'), parts),
          ]) {
            const error = await failure(ask());
            expect(error).to.be.instanceOf(CheckpointError).with.property('code', 'damaged');
            expect(error.message).to.include(file);
          }
          expect(step(), 'nothing has changed').to.equal(77);
          expect((await restoreCheckpoint(folder, parts))!.step).to.equal(1);
        }
      });
    }

    it('are an error that names each, when all are', async () => {
      await saved(1, 2);
      for (const step of [1, 2]) truncateSync(join(folder, `step-0000000${step}`, 'model.safetensors'), 9);
      const { parts, set, step } = countingModel();
      set(5);
      const error = await failure(restoreCheckpoint(folder, parts));
      expect(error.message).to.match(/no checkpoint that is whole: .*step-00000002.*step-00000001/);
      expect(step()).to.equal(5);
      expect(await latestCheckpoint(folder)).to.equal(null);
    });

    it('are found out when a file shrinks while it is read', async () => {
      const { parts, set, step } = countingModel([20_000_000]);
      set(1);
      const { path } = await saveCheckpoint(folder, parts);
      set(9);
      const restoring = failure(restoreCheckpoint(path, parts));
      // Both happen off the event loop: the file is cut while it is read, or else before its first byte is.
      const file = await open(join(path, 'model.safetensors'), 'r+');
      await file.truncate(1000);
      await file.close();
      const error = await restoring;
      expect(error).to.be.instanceOf(CheckpointError).with.property('code', 'damaged');
      expect(step()).to.equal(9);
    });

    it('are found out when the folder has the name of another step', async () => {
      await saved(1);
      renameSync(join(folder, 'step-00000001'), join(folder, 'step-00000008'));
      const error = await failure(restoreCheckpoint(folder, countingModel().parts));
      expect(error.message).to.match(/step-00000008 is damaged: state.json: it is of step 1/);
    });

    it('may be of a later format, which is said', async () => {
      await saved(1);
      const path = join(folder, 'step-00000001', 'state.json');
      const manifest = parseManifest(readFileSync(path, 'utf8'));
      writeFileSync(path, manifestText({ ...manifest, version: 2 as never }));
      const error = await failure(restoreCheckpoint(folder, countingModel().parts));
      expect(error).to.have.property('code', 'version');
      expect(error.message).to.match(/version 2 .* reads 1/);
    });
  });

  describe('that do not fit', () => {
    it('are one error with all names, and change nothing', async () => {
      await saved(1);
      const others = ['a', 'b'].map((name) => variable([7], { name }));
      const optimizer = new AdamOptimizer();
      const parts = { variables: others, optimizer, globalStep: createGlobalStep() };
      const error = await failure(restoreCheckpoint(folder, parts));
      expect(error).to.have.property('code', 'mismatch');
      expect(error.message).to.include('lacks "a", "b" and has "layer_0/w", "layer_1/w"');
      expect(others.map((v) => v.item())).to.deep.equal([7, 7]);
      expect(optimizer.state()).to.deep.equal([]);
    });

    it('are refused for their parts, shapes, dtypes and slots', async () => {
      await saved(1);
      const { parts, set, step, variables } = countingModel();
      set(3);
      const tries: [() => Promise<unknown>, RegExp][] = [
        [() => restoreCheckpoint(folder, { variables }), /has optimizer, globalStep too, which \{ partial: true \}/],
        [() => restoreCheckpoint(folder, { ...parts, averages: createGlobalStep() }), /has no averages/],
        [() => restoreCheckpoint(folder, { ...countingModel([3, 999]).parts }), /has shape \[1000\], expected \[999\]/],
        [
          () =>
            restoreCheckpoint(folder, { ...parts, optimizer: new MomentumOptimizer({ learningRate: 1, momentum: 0 }) }),
          /beta1_power.*nothing here is the owner of/,
        ],
        [() => restoreCheckpoint(folder, parts, { step: 2 }), /no checkpoint of step 2/],
        [() => restoreCheckpoint(join(folder, 'step-00000009'), parts), /there is no checkpoint/],
      ];
      for (const [restore, message] of tries) expect((await failure(restore())).message).to.match(message);
      expect(step()).to.equal(3);
    });
  });

  it('are not there where there is no folder, or nothing of that name in it', async () => {
    const { parts } = countingModel();
    for (const name of ['step-1', 'step-000000001', 'step-00000001.0', 'latest', '.step-00000001.x.tmp']) {
      cpSync(__dirname, join(folder, name), { recursive: true });
    }
    for (const at of [folder, join(folder, 'nowhere')]) {
      expect(await latestCheckpoint(at)).to.equal(null);
      expect(await restoreCheckpoint(at, parts)).to.equal(null);
    }
  });
});
