import { expect } from 'chai';
import fc from 'fast-check';
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { restoreCheckpoint, saveCheckpoint } from 'gradstep/checkpoint';
import { countingModel } from '../support/checkpoint-model';
import { LosingDisk } from '../support/losing-disk';
import { callsOf, compileRecorder, replay, runWith, type Call } from '../support/recorded-calls';
import { collectWarnings } from '../support/warnings';

const sizes = [3, 100];

/** What must be synced, and how its calls are told from others. */
const syncs: Readonly<Record<string, (path: string) => boolean>> = {
  'model.safetensors': (path) => basename(path) === 'model.safetensors',
  'optimizer.safetensors': (path) => basename(path) === 'optimizer.safetensors',
  'state.json': (path) => basename(path) === 'state.json',
  'their folder': (path) => basename(path).startsWith('.step-'),
  'the folder that it gets its name in': (path) => basename(path) === 'one',
  'the folder above, which is new': (path) => basename(path) === 'runs',
};

/** The same as power.test.ts, of what a process really asks of the system. */
describe('a loss of power, by the calls that a process has made', function () {
  this.timeout(120_000);
  collectWarnings();
  let folder: string;
  let runs = 0;
  const recorded: Call[][] = [];

  before(function () {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'gradstep-calls-')));
    const recorder = compileRecorder(folder);
    if (recorder === null) this.skip();
    for (const keep of [1, 2]) {
      const at = join(folder, `keep-${keep}`);
      mkdirSync(at);
      recorded.push(callsOf(recorder, 'checkpoint-recorded.js', at, String(keep)));
    }
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  /** What is restored when power goes after some calls; undefined where there is nothing. Throws for what is torn. */
  async function afterCalls(calls: readonly Call[], end: number, isLost: () => boolean) {
    const disk = new LosingDisk();
    const below = join(folder, calls[0]!.path.includes('keep-1') ? 'keep-1' : 'keep-2');
    await disk.ensureFolder(below);
    const said = await replay(disk, calls.slice(0, end));
    const at = join(folder, `run-${runs++}`);
    disk.materialize(below, at, isLost);
    const { parts, step } = countingModel(sizes);
    const restored = await restoreCheckpoint(join(at, 'runs', 'one'), parts);
    rmSync(at, { recursive: true });
    return { said, restored, numbers: step() };
  }

  it('sees every file written, and each synced before the rename', () => {
    for (const calls of recorded) {
      const saved = calls.filter(({ what, other }) => what === 'rename' && /\/step-0000000\d$/.test(other));
      expect(saved).to.have.lengthOf(3);
      for (const rename of saved) {
        const before = calls.slice(0, calls.indexOf(rename)).filter(({ path }) => path.startsWith(rename.path));
        for (const file of ['model.safetensors', 'optimizer.safetensors', 'state.json']) {
          const own = before.filter(({ path }) => path === join(rename.path, file)).map(({ what }) => what);
          expect(own[0]).to.equal('create');
          expect(own).to.include('write');
          expect(own.at(-1)).to.equal('sync');
        }
        expect(before.at(-1)).to.deep.include({ what: 'sync', path: rename.path });
        const next = calls.slice(calls.indexOf(rename) + 1)[0]!;
        expect([next.what, basename(next.path)]).to.deep.equal(['sync', 'one']);
      }
    }
  });

  it('leaves the last or the new one, whatever of all that was not synced is lost', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...recorded).chain((calls) => fc.tuple(fc.constant(calls), fc.nat(calls.length))),
        fc.infiniteStream(fc.boolean()),
        async ([calls, end], lost) => {
          const { said, restored, numbers } = await afterCalls(calls, end, () => lost.next().value as boolean);
          expect(restored?.step ?? 0).to.be.within(said, said + 1);
          if (restored === null) return;
          expect(numbers).to.equal(restored.step);
          expect(restored.damaged).to.deep.equal([]);
        },
      ),
      { numRuns: 400 },
    );
  });

  for (const [what, isOf] of Object.entries(syncs)) {
    it(`would leave less without syncing ${what}`, async () => {
      const calls = recorded[0]!.filter((call) => !(call.what === 'sync' && isOf(call.path)));
      expect(calls.length).to.be.below(recorded[0]!.length);
      let bad = 0;
      for (let end = 1; end <= calls.length; end++) {
        const outcome = await afterCalls(calls, end, () => true).catch(() => null);
        if (outcome === null || (outcome.restored?.step ?? 0) < outcome.said) bad++;
      }
      expect(bad).to.be.above(0);
    });
  }
});

describe('a system that refuses', function () {
  this.timeout(120_000);
  let folder: string;
  let recorder: string | null;
  const program = 'checkpoint-full.js';
  before(function () {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'gradstep-full-')));
    recorder = compileRecorder(folder);
    if (recorder === null) this.skip();
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('space is one clear error wherever in a checkpoint it comes, with the last one whole and nothing else left', async () => {
    const whole = 12_000 + 5000; // about so much takes one
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 3 * whole }), async (space) => {
        const at = join(folder, `space-${space}`);
        mkdirSync(at);
        const said = JSON.parse(runWith({ RECORD_SPACE: String(space) }, recorder!, program, at)) as Record<
          string,
          unknown
        >;
        const step = said['step'] as number;
        expect(said['code']).to.equal('not-saved');
        expect(said['message']).to.match(new RegExp(`step-0000000${step} could not be saved: ENOSPC`));
        expect(readdirSync(at)).to.deep.equal(Array.from({ length: step - 1 }, (_, i) => `step-0000000${i + 1}`));
        const { parts, step: numbers } = countingModel([3, 1000]);
        const restored = await restoreCheckpoint(at, parts);
        expect(restored?.step ?? 0).to.equal(step - 1);
        if (restored !== null) expect(numbers()).to.equal(step - 1);
        rmSync(at, { recursive: true });
      }),
      { numRuns: 25 },
    );
  });

  for (const denied of ['model.safetensors', 'optimizer.safetensors', 'state.json']) {
    it(`permission is one clear error, and changes nothing: ${denied}`, async () => {
      const at = join(folder, denied);
      const { parts, set } = countingModel([3, 1000]);
      set(7);
      await saveCheckpoint(at, parts);
      const fault = { RECORD_DENY: denied };
      const ofSaving = JSON.parse(runWith(fault, recorder!, program, at)) as Record<string, unknown>;
      expect(ofSaving['code']).to.equal('not-saved');
      expect(ofSaving['message']).to.match(/step-00000001 could not be saved: EACCES/);
      expect(readdirSync(at)).to.deep.equal(['step-00000007']);
      // Not damaged: nobody is to fall back to an older one because of it.
      const ofRestoring = JSON.parse(runWith(fault, recorder!, program, at, 'restore')) as Record<string, unknown>;
      expect(ofRestoring).to.deep.include({ code: 'EACCES', step: 0 });
    });
  }
});
