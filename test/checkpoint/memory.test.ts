import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const program = join(__dirname, '..', 'support', 'checkpoint-memory.js');
/** Of the state. */
const megabytes = 320;

describe('the memory that a checkpoint takes beside its state', function () {
  this.timeout(120_000);
  let folder: string;
  before(() => (folder = mkdtempSync(join(tmpdir(), 'gradstep-memory-'))));
  after(() => rmSync(folder, { recursive: true, force: true }));

  function takenBy(how: string): number {
    const { stdout, stderr } = spawnSync(process.execPath, [program, folder, how, String(megabytes)], {
      encoding: 'utf8',
    });
    expect(stderr).to.equal('');
    return Number(stdout);
  }

  it('is a fraction of it without a copy', () => {
    expect(takenBy('stream')).to.be.below(megabytes / 4);
  });

  it('is as much as it with a copy, and while it is restored', () => {
    expect(takenBy('copy')).to.be.within(0.8 * megabytes, 1.4 * megabytes);
    expect(takenBy('restore')).to.be.within(0.8 * megabytes, 1.4 * megabytes);
  });
});
