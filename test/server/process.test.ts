import { expect } from 'chai';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { examples, until, withFolder, type Json } from './support';

const script = join(dirname(require.resolve('gradstep/package.json')), 'build/ts/examples/server.js');

interface Running {
  readonly child: ChildProcess;
  readonly url: string;
  /** Fulfilled when it is over. */
  readonly ended: Promise<unknown[]>;
}

describe('npm run example:server', function () {
  this.timeout(60_000);
  const folder = withFolder();
  const children: ChildProcess[] = [];
  let runs = 0;
  afterEach(() => children.splice(0).forEach((child) => child.kill('SIGKILL')));

  function run(
    args: readonly string[],
    env: Record<string, string> = {},
  ): { child: ChildProcess; ended: Promise<unknown[]> } {
    const child = spawn(process.execPath, [script, '--data', join(folder(), 'data'), '--port', '0', ...args], {
      env: { ...process.env, ...env },
    });
    children.push(child);
    return { child, ended: once(child, 'exit') };
  }

  async function start(args: readonly string[]): Promise<Running> {
    const { child, ended } = run(args);
    let text = '';
    child.stderr!.on('data', (chunk) => (text += String(chunk)));
    for await (const chunk of child.stdout!.iterator({ destroyOnReturn: false })) {
      const url = /http:\S+/.exec((text += String(chunk)))?.[0];
      if (url !== undefined) return { child, ended, url };
    }
    throw new Error(text);
  }

  const ask = async (url: string, body?: unknown): Promise<Json> => {
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(url, body === undefined ? {} : { method: 'POST', headers, body: JSON.stringify(body) });
    return (await answer.json()) as Json;
  };
  const newRun = (): string => join(folder(), `process-${runs++}`);

  it('starts with a stream, trains, ends on SIGTERM with a checkpoint, and goes on from it', async function () {
    if (process.platform === 'win32') this.skip(); // it has no signals that a process can hear
    const args = ['--checkpoints', newRun(), '--workers', '2'];
    const first = await start(args);
    let status: Json = {};
    await until(async () => ((status = await ask(`${first.url}/status`)).step as number) >= 20, '20 steps');
    expect(status).to.deep.include({ state: 'running', stream: true });
    first.child.kill('SIGTERM');
    expect(await first.ended).to.deep.equal([0, null]);

    const second = await start([...args, '--no-start']);
    const resumed = await ask(`${second.url}/status`);
    expect(resumed.step).to.be.at.least(status.step as number);
    expect(resumed.examplesSeen).to.equal(64 * (resumed.step as number));
    second.child.kill('SIGINT');
    expect(await second.ended).to.deep.equal([0, null]);
  });

  it('goes on from the last checkpoint after kill -9, having lost what came after it', async () => {
    const args = ['--checkpoints', newRun(), '--no-stream'];
    const first = await start(args);
    for (let i = 0; i < 3; i++) await ask(`${first.url}/examples`, examples(30));
    const { checkpoint } = await ask(`${first.url}/checkpoint`, {});
    await ask(`${first.url}/examples`, examples(40));
    first.child.kill('SIGKILL');
    await first.ended;

    const second = await start([...args, '--no-start']);
    const { step, examplesSeen, queue } = await ask(`${second.url}/status`);
    expect(step).to.equal((checkpoint as { step: number }).step);
    expect((examplesSeen as number) + (queue as { length: number }).length).to.equal(90);
    await ask(`${second.url}/start`, {});
    await until(async () => (await ask(`${second.url}/status`)).examplesSeen === 90, 'all that had been accepted');
  });

  it('says in one line what is wrong with how it is started', async () => {
    const cases: [args: string[], line: RegExp][] = [
      [['--host', '0.0.0.0'], /^error: 0\.0\.0\.0 can be reached from elsewhere/],
      [['--batch', '0'], /^error: option '--batch <n>' argument '0' is invalid/],
      [['--host', '192.0.2.1', '--token', 'secret'], /^error: listen EADDRNOTAVAIL/],
      [['--data', join(folder(), 'nothing')], /^error: cannot read .*train-images/],
    ];
    for (const [args, line] of cases) {
      const { child, ended } = run(['--checkpoints', newRun(), ...args]);
      let text = '';
      child.stderr!.on('data', (chunk) => (text += String(chunk)));
      expect(await ended).to.deep.equal([1, null]);
      expect(text).to.match(line);
      expect(text.trimEnd().split('\n')).to.have.length(1);
    }
  });

  it('is set by the environment too', async () => {
    const { child, ended } = run([], { SERVER_HOST: '0.0.0.0', SERVER_CHECKPOINTS: newRun() });
    let text = '';
    child.stderr!.on('data', (chunk) => (text += String(chunk)));
    expect(await ended).to.deep.equal([1, null]);
    expect(text).to.match(/0\.0\.0\.0 can be reached/);
  });
});
