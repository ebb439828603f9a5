import { expect } from 'chai';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { writeDataset } from './idx-files';

const root = dirname(require.resolve('gradstep/package.json'));
const example = (name: string): string => join(root, 'build/ts/examples', name);

/** What a process prints, line by line, until one matches. */
async function lineOf(child: ChildProcess, wanted: RegExp): Promise<string> {
  let text = '';
  for await (const chunk of child.stdout!) {
    text += String(chunk);
    const found = text.split('\n').find((line) => wanted.test(line));
    if (found !== undefined) return found;
  }
  throw new Error(`it ended without such a line: ${text}`);
}

describe('examples that train in workers', function () {
  this.timeout(60_000);
  let folder: string;
  let data: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'gradstep-workers-'));
    data = join(folder, 'data');
    writeDataset(data);
  });
  after(() => rmSync(folder, { recursive: true }));

  it('give the same weights in every run: npm start -- --workers 2', () => {
    const weights = ['first', 'second'].map((name) => {
      const out = join(folder, name);
      const args = [example('mnist.js'), '--data', data, '--hidden', '20', '--out', out, '--workers', '2'];
      const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
      expect(stderr).to.equal('');
      expect(status).to.equal(0);
      return readFileSync(join(out, 'weights.safetensors'));
    });
    expect(weights[0]!.equals(weights[1]!)).to.equal(true);
  });

  it('serve what they train, and end cleanly', async function () {
    if (process.platform === 'win32') this.skip(); // it has no signals that a process can hear
    const child = spawn(process.execPath, [example('serve-while-training.js'), '0'], { stdio: 'pipe' });
    const ended = once(child, 'exit');
    const url = await lineOf(child, /^http:/);
    const answer = (await (await fetch(url)).json()) as { x: number; y: number };
    expect(answer.x).to.equal(0.5);
    expect(answer.y).to.be.a('number');
    child.kill('SIGINT');
    expect(await ended).to.deep.equal([0, null]);
  });
});
