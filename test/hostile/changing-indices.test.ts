import { expect } from 'chai';
import { inChild } from '../support/hostile-child';

/**
 * Another thread turns indices in shared memory from `good` to `bad` and back while `call` uses them, for a second and a half.
 * `bad` is the first that is out of range: what is read or written there is ours, and shows.
 */
function race<T>(good: number, bad: number, setUp: string, call: string, result: string): T {
  return inChild<T>(`
    const { Worker } = require('node:worker_threads');
    const turn = "const i = new Int32Array(require('node:worker_threads').workerData);" +
      "for (;;) { i.fill(${bad}); i.fill(${good}); }";
    const shared = new SharedArrayBuffer(4 * 64), indices = new Int32Array(shared).fill(${good});
    ${setUp}
    const worker = new Worker(turn, { eval: true, workerData: shared });
    worker.on('online', () => {
      let refused = 0, done = 0, internal = null;
      const end = Date.now() + 1500;
      while (Date.now() < end) {
        try { ${call}; done++; } catch (e) {
          refused++;
          if (!(e instanceof RangeError)) internal = String(e);
        }
      }
      console.log(JSON.stringify({ refused, done, internal, ...${result} }));
      process.exit(0);
    });
  `);
}

interface Race {
  readonly refused: number;
  readonly done: number;
  readonly internal: string | null;
}

function expectRaced({ refused, done, internal }: Race): void {
  expect(internal).to.equal(null);
  expect(done, 'calls that went through').to.be.above(0);
  expect(refused, 'calls that were refused').to.be.above(0);
}

describe('indices in shared memory that another thread changes', () => {
  for (const name of ['GradientDescent', 'LazyAdam', 'Adam', 'Lars']) {
    it(`${name} moves no row that is out of range`, () => {
      const result = race<Race & { outside: number[] }>(
        0,
        256,
        `const memory = new Float32Array(1024 + 4), v = g.Variable.over(memory.subarray(0, 1024), { shape: [256, 4] });
         const slices = new g.IndexedSlices(new Float32Array(64 * 4).fill(1), indices, [256, 4]);
         const o = new g.${name}Optimizer({ learningRate: 1 });`,
        'o.applyGradients([[slices, v]])',
        '{ outside: [...memory.subarray(1024)] }',
      );
      expectRaced(result);
      expect(result.outside).to.deep.equal([0, 0, 0, 0]);
    });
  }

  it('toDense writes no row that is out of range', () => {
    const result = race<Race & { wrong: number }>(
      0,
      256,
      `const slices = new g.IndexedSlices(new Float32Array(64 * 4).fill(1), indices, [256, 4]);
       let wrong = 0;`,
      'const dense = slices.toDense(); if (dense.data[0] !== 64) wrong++; dense.dispose()',
      '{ wrong }',
    );
    expectRaced(result);
    expect(result.wrong).to.equal(0);
  });

  it('gather reads no row that is out of range', () => {
    const result = race<Race & { wrong: number }>(
      0,
      256,
      `const memory = new Float32Array(1024 + 4).fill(7, 1024);
       const v = g.Variable.over(memory.subarray(0, 1024), { shape: [256, 4] });
       let wrong = 0;`,
      'g.tidy(() => { if (g.ops.gather(v, indices).data.some((x) => x !== 0)) wrong++; })',
      '{ wrong }',
    );
    expectRaced(result);
    expect(result.wrong).to.equal(0);
  });

  it('labels of a cross entropy pick no logit that is out of range', () => {
    const result = race<Race & { wrong: number }>(
      0,
      4,
      `const logits = g.ops.reshape(Float32Array.from({ length: 64 * 4 }, (_, i) => 100 * (i >> 2)), [64, 4]);
       const expected = Math.fround(Math.log(4));
       let wrong = 0;`,
      `g.tidy(() => {
         const loss = g.ops.sparseSoftmaxCrossEntropyWithLogits(indices, logits);
         if (loss.data.some((x) => Math.abs(x - expected) > 1e-3)) wrong++;
       })`,
      '{ wrong }',
    );
    expectRaced(result);
    expect(result.wrong).to.equal(0);
  });
}).timeout(60_000);
