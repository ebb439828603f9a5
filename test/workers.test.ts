import { expect } from 'chai';
import { runScript } from './support/child';

// Each in a process of its own: what is tested is also that the process lives on and ends by itself.
const workerBody = `
  const { workerData, parentPort } = require('node:worker_threads');
  const { AdamOptimizer, Variable, variable } = require('gradstep');
  const v = workerData?.shared ? Variable.over(new Float32Array(workerData.shared)) : variable(new Float32Array(200000).fill(1));
  const optimizer = new AdamOptimizer({ learningRate: 0.1 });
  const g = new Float32Array(v.size).fill(0.5);
  const step = () => optimizer.applyGradients([[g, v]]);
`;
const prelude = `
  const { Worker } = require('node:worker_threads');
  const start = (code, workerData) => new Worker(${JSON.stringify(workerBody)} + code, { eval: true, workerData });
  const ended = (worker) => new Promise((resolve, reject) => { worker.on('exit', resolve); worker.on('error', reject); });
`;

function expectOutput(script: string, expected: string): void {
  for (const threads of ['1', '2', '4']) {
    const { stdout, stderr, status, signal } = runScript(prelude + script, { GRADSTEP_THREADS: threads });
    expect(stderr).to.equal('');
    expect({ status, signal, stdout: stdout.trim() }).to.deep.equal({ status: 0, signal: null, stdout: expected });
  }
}

describe('worker threads', function () {
  this.timeout(120_000);

  it('step at the same time, each with the right result', () => {
    expectOutput(
      `const code = 'for (let i = 0; i < 200; i++) step(); parentPort.postMessage(Buffer.from(v.data.buffer).toString("base64"));';
       const workers = [1, 2, 3, 4].map(() => start(code));
       Promise.all(workers.map((w) => new Promise((resolve) => w.on('message', resolve)))).then((results) => {
         const { AdamOptimizer, variable } = require('gradstep');
         const v = variable(new Float32Array(200000).fill(1));
         const optimizer = new AdamOptimizer({ learningRate: 0.1 });
         for (let i = 0; i < 200; i++) optimizer.applyGradients([[new Float32Array(200000).fill(0.5), v]]);
         const expected = Buffer.from(v.data.buffer).toString('base64');
         console.log(results.every((result) => result === expected));
       });`,
      'true',
    );
  });

  it('may be the only ones that load the library, and exit, again and again', () => {
    expectOutput(
      `(async () => {
         for (let round = 0; round < 5; round++) await ended(start('for (let i = 0; i < 20; i++) step();'));
         await new Promise((resolve) => setTimeout(resolve, 50));
         console.log('alive');
       })();`,
      'alive',
    );
  });

  it('may be terminated in the middle of their steps, while others go on', () => {
    expectOutput(
      `(async () => {
         const { variable, AdamOptimizer } = require('gradstep');
         const v = variable(new Float32Array(200000).fill(1));
         const optimizer = new AdamOptimizer();
         const workers = [1, 2, 3].map(() => start('parentPort.postMessage(1); for (;;) step();'));
         await Promise.all(workers.map((w) => new Promise((resolve) => w.once('message', resolve))));
         for (let i = 0; i < 50; i++) optimizer.applyGradients([[new Float32Array(200000).fill(1), v]]);
         await Promise.all(workers.map((w) => w.terminate()));
         for (let i = 0; i < 50; i++) optimizer.applyGradients([[new Float32Array(200000).fill(1), v]]);
         console.log(v.data.every(Number.isFinite));
       })();`,
      'true',
    );
  });

  it('see what another steps in shared memory', () => {
    expectOutput(
      `const shared = new SharedArrayBuffer(4 * 1000);
       ended(start('step(); step();', { shared })).then(() => console.log(new Float32Array(shared).every((x) => x < -0.19)));`,
      'true',
    );
  });

  it('do not keep a process from ending while they step', () => {
    expectOutput(
      `const worker = start('parentPort.postMessage(1); for (;;) step();');
       worker.once('message', () => { console.log('leaving'); process.exit(0); });`,
      'leaving',
    );
  });

  it('do not take the process down when it ends while they call into the addon', () => {
    expectOutput(
      `const code = \`
         const pairs = Array.from({ length: 100 }, () => [Float32Array.of(1), variable([1])]);
         parentPort.postMessage(1);
         for (;;) new AdamOptimizer().applyGradients(pairs);\`;
       const workers = [1, 2, 3, 4].map(() => start(code));
       Promise.all(workers.map((w) => new Promise((resolve) => w.once('message', resolve)))).then(() => {
         console.log('leaving');
         setTimeout(() => process.exit(0), 10);
       });`,
      'leaving',
    );
  });
});
