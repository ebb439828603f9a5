import { expect } from 'chai';
import { spawn } from 'node:child_process';

// What ends a thread or a process while steps are under way must neither crash nor hang. `npm run test:endings 300` tries
// each ending so many times; where one falls is a matter of chance.
const times = Number(process.env['GRADSTEP_ENDINGS'] ?? 4);
/** Milliseconds after which a program hangs: some try all of their endings in one process. */
const patience = 50_000 + 4000 * times;

/** How a program ended, and what it said. */
interface Ending {
  readonly status: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a script; once it has printed something, `after` may do something about it. */
function run(script: string, after: (kill: (signal: NodeJS.Signals) => void) => void = () => {}): Promise<Ending> {
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'pipe'] });
  const kill = (signal: NodeJS.Signals): void => void child.kill(signal);
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (text: Buffer) => {
    if (stdout === '') after(kill);
    stdout += text.toString();
  });
  child.stderr.on('data', (text: Buffer) => (stderr += text.toString()));
  const limit = setTimeout(() => kill('SIGKILL'), patience);
  return new Promise((resolve) => {
    child.on('close', (status, signal) => {
      clearTimeout(limit);
      resolve({ status, signal, stdout, stderr });
    });
  });
}

/** A program that steps without a pause: several steps are under way or waiting at any time. */
const training = `
  const g = require('gradstep');
  const size = [1000, 50_000, 1_000_000][Math.floor(Math.random() * 3)];
  const v = g.variable(new Float32Array(size).fill(1));
  const table = g.variable(new Float32Array(6000), { shape: [1000, 6] });
  const optimizer = new g.AdamOptimizer();
  const gradient = g.variable(new Float32Array(size).fill(0.5)).data;
  const rows = new g.IndexedSlices(g.tensor(new Float32Array(60), [10, 6]), [1, 2, 3, 4, 5, 6, 7, 8, 9, 1]);
  const step = async () => {
    const [clipped] = await g.clipByGlobalNormAsync([[gradient, v], [rows, table]], 1);
    return optimizer.applyGradientsAsync(clipped);
  };
  const train = async () => { for (;;) await Promise.all([step(), step(), optimizer.applyGradientsAsync([[gradient, v]])]); };
  const soon = (f) => setTimeout(f, Math.random() * 30);
`;

async function expectEnding(
  script: string,
  expected: { status: number | null; signal: string | null; stderr?: RegExp },
  after?: Parameters<typeof run>[1],
): Promise<void> {
  for (let i = 0; i < times; i++) {
    const { status, signal, stderr } = await run(training + script, after);
    expect({ status, signal }, stderr).to.deep.equal({ status: expected.status, signal: expected.signal });
    expect(stderr).to.match(expected.stderr ?? /^$/);
  }
}

describe('while steps are under way off the event loop', function () {
  this.timeout(2 * patience);

  it('a process may exit', () =>
    expectEnding('void train(); soon(() => process.exit(7));', { status: 7, signal: null }));

  it('a process may come to its end: it waits for them', () =>
    expectEnding('step().then(() => { process.exitCode = 5; });', { status: 5, signal: null }));

  it('an exception may go uncaught', () =>
    expectEnding("void train(); soon(() => { throw new Error('mine'); });", {
      status: 1,
      signal: null,
      stderr: /Error: mine/,
    }));

  it('a rejection may go unhandled', () =>
    expectEnding('void train(); soon(() => void optimizer.applyGradientsAsync([[new Float32Array(1), v]]));', {
      status: 1,
      signal: null,
      stderr: /RangeError: gradient of 'Variable'/,
    }));

  const killSoon = (kill: (signal: NodeJS.Signals) => void): void => {
    setTimeout(() => kill('SIGTERM'), Math.random() * 30);
  };

  it('SIGTERM may end a process', () =>
    expectEnding("void train(); console.log('ready');", { status: null, signal: 'SIGTERM' }, killSoon));

  it('SIGTERM may have a process exit by itself', () =>
    expectEnding(
      "process.on('SIGTERM', () => process.exit(3)); void train(); console.log('ready');",
      { status: 3, signal: null },
      killSoon,
    ));

  it('workers may be terminated, exit and fail, while others go on', async () => {
    const script = `
      const { Worker } = require('node:worker_threads');
      const body = ${JSON.stringify(training)} + "require('node:worker_threads').parentPort.postMessage('ready'); void train();";
      const ways = ['', 'soon(() => process.exit());', "soon(() => { throw new Error('mine'); });"];
      const ended = (way) => new Promise((resolve) => {
        const worker = new Worker(body + ways[way], { eval: true });
        worker.on('error', (error) => { if (way !== 2 || error.message !== 'mine') throw error; });
        worker.on('exit', resolve);
        worker.on('message', () => { if (way === 0) soon(() => worker.terminate()); });
      });
      (async () => {
        const own = train();
        for (let i = 0; i < ${times}; i++) await Promise.all([0, 0, 1, 2].map(ended));
        console.log(v.data.every(Number.isFinite));
        process.exit(0);
      })();`;
    const { status, signal, stdout, stderr } = await run(training + script);
    expect({ status, signal, stdout: stdout.trim() }, stderr).to.deep.equal({
      status: 0,
      signal: null,
      stdout: 'true',
    });
  });

  it('a worker that is terminated finishes the step it is at, and begins no other', async () => {
    const script = `
      const { Worker } = require('node:worker_threads');
      const body = \`
        const { GradientDescentOptimizer, Variable } = require('gradstep');
        const { workerData, parentPort } = require('node:worker_threads');
        const v = Variable.over(new Float32Array(workerData));
        const optimizer = new GradientDescentOptimizer({ learningRate: 1 });
        const gradient = new Float32Array(new SharedArrayBuffer(4 * v.size)).fill(1);
        for (let i = 0; i < 1000; i++) void optimizer.applyGradientsAsync([[gradient, v]]);
        parentPort.postMessage('ready');\`;
      const one = () => new Promise((resolve) => {
        const shared = new SharedArrayBuffer(4 * 2_000_000);
        const values = new Float32Array(shared);
        const worker = new Worker(body, { eval: true, workerData: shared });
        let before = 0;
        worker.on('message', () => soon(() => {
          // What is seen as begun; until the worker hears of its end a few more may be.
          before = Math.max(-values[0], -values.at(-1));
          worker.terminate();
        }));
        worker.on('exit', () => {
          const steps = -values[0];
          resolve(values.every((x) => x === -steps) && steps <= before + 5);
        });
      });
      (async () => {
        const results = [];
        for (let i = 0; i < ${times}; i++) results.push(await one());
        console.log(results.every(Boolean));
      })();`;
    const { status, signal, stdout, stderr } = await run(training + script);
    expect({ status, signal, stdout: stdout.trim() }, stderr).to.deep.equal({
      status: 0,
      signal: null,
      stdout: 'true',
    });
  });
});
