import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { latestCheckpoint, restoreCheckpoint, saveCheckpoint } from 'gradstep/checkpoint';
import { countingModel } from '../support/checkpoint-model';

const child = join(__dirname, '..', 'support', 'checkpoint-saver.js');
const sizes = [3, 1000, 400_000];

/** How often a process is killed while it saves. GRADSTEP_CHECKPOINT_KILLS=1000 takes some minutes. */
const kills = Number(process.env['GRADSTEP_CHECKPOINT_KILLS'] ?? 20);

/** Starts a process that saves step after step, kills it after a while. Returns the last step that it said was saved. */
async function saveUntilKilled(folder: string, from: number, milliseconds: number): Promise<number> {
  const saver = spawn(process.execPath, [child, folder, String(from)], { stdio: ['ignore', 'pipe', 'inherit'] });
  let last = from;
  const lines = createInterface(saver.stdout);
  lines.on('line', (line) => {
    if (line === 'ready') setTimeout(() => saver.kill('SIGKILL'), milliseconds);
    else last = Number(line);
  });
  const [, signal] = (await once(saver, 'close')) as [number | null, string | null];
  expect(signal).to.equal('SIGKILL');
  return last;
}

describe('a process that is killed while it saves checkpoints', function () {
  this.timeout(60_000 + 2000 * kills);
  let folder: string;
  before(() => (folder = mkdtempSync(join(tmpdir(), 'gradstep-kill-'))));
  after(() => rmSync(folder, { recursive: true, force: true }));

  it(`leaves its last or the one that it was at, whole (${kills} times)`, async () => {
    let last = 0;
    for (let i = 0; i < kills; i++) {
      const said = await saveUntilKilled(folder, last, Math.random() * 60);
      const { parts, step } = countingModel(sizes);
      const restored = await restoreCheckpoint(folder, parts);
      if (restored === null) {
        expect(said).to.equal(0);
        continue;
      }
      expect(restored.damaged).to.deep.equal([]);
      expect(restored.step).to.be.within(said, said + 1);
      expect(step(), 'all numbers are of that step').to.equal(restored.step);
      expect((await latestCheckpoint(folder))!.step).to.equal(restored.step);
      last = restored.step;
    }
  });

  it('leaves nothing else for longer than until the next save', async () => {
    const { parts, set } = countingModel(sizes);
    set(10_000_000);
    await saveCheckpoint(folder, parts, { keep: 1 });
    expect(readdirSync(folder)).to.deep.equal(['step-10000000']);
  });
});
