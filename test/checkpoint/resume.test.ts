import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { restoreCheckpoint, saveCheckpoint } from 'gradstep/checkpoint';
import { trainings } from '../support/checkpoint-runs';

const child = join(__dirname, '..', 'support', 'checkpoint-child.js');

describe('a run that is resumed from a checkpoint in another process', function () {
  this.timeout(120_000);
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'gradstep-resume-'));
    for (const [from, to] of [
      [0, 50],
      [50, 100],
    ]) {
      const { status, stderr } = spawnSync(process.execPath, [child, folder, `${from}`, `${to}`], { encoding: 'utf8' });
      expect(status, stderr).to.equal(0);
    }
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  for (const [name, start] of Object.entries(trainings)) {
    it(`has after 100 steps the bytes of one that never stopped: ${name}`, async () => {
      const straight = start();
      for (let i = 0; i < 100; i++) straight.step(i);
      const { parts, metadata } = straight;
      const contents = { ...parts, ...(metadata && { metadata: metadata() }) };
      const { path } = await saveCheckpoint(join(folder, 'straight', name), contents);
      for (const file of ['model.safetensors', 'optimizer.safetensors', 'state.json']) {
        const bytes = readFileSync(join(path, file));
        expect(bytes.equals(readFileSync(join(folder, name, 'step-00000100', file))), file).to.be.true;
      }
    });
  }

  it('can be one that had made other steps before, which are forgotten', async () => {
    const name = 'an accumulator, in the middle of its three';
    const [resumed, straight] = [trainings[name]!(), trainings[name]!()];
    for (let i = 0; i < 7; i++) resumed.step(1000 + i);
    await restoreCheckpoint(join(folder, name), resumed.parts, { step: 50 });
    for (let i = 0; i < 60; i++) straight.step(i);
    for (let i = 50; i < 60; i++) resumed.step(i);
    const [a, b] = [resumed, straight].map(({ parts }) => parts.variables!);
    for (const [i, v] of [...a!].entries()) expect(String(v.data)).to.equal(String([...b!][i]!.data));
  });
});
