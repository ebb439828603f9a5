import { expect } from 'chai';
import { clipByGlobalNorm, GradientDescentOptimizer, ops, variable } from 'gradstep';
import { expectRefused, inChild, prelude, type Outcome } from '../support/hostile-child';

describe('memory that goes', () => {
  // On Node 20 and 22 optimized code reads the old length of a detached array once it has seen a resizable buffer.
  it('a variable that was detached is noticed by code that has seen resizable buffers', () => {
    const { warm, outcome, after } = inChild<{ warm: number; outcome: Outcome; after: number[] }>(`
      const n = 1 << 22, mine = new Float32Array(n);
      const resizable = g.Variable.over(new Float32Array(new ArrayBuffer(16, { maxByteLength: 64 }), 0, 4));
      const big = g.Variable.over(mine), small = g.Variable.over(new Float32Array(4));
      const [o, p] = [1, 2].map(() => new g.GradientDescentOptimizer({ learningRate: 1 }));
      const four = Float32Array.of(1, 1, 1, 1), gradient = new Float32Array(n).fill(1);
      o.applyGradients([[gradient, big]]);
      for (let i = 0; i < 100000; i++) p.applyGradients([[four, resizable], [four, small]]);
      const warm = small.data[0];
      free(mine);
      const outcome = attempt(() => o.applyGradients([[gradient, big]]));
      report({ warm, outcome, after: [...small.data] });
    `);
    expectRefused(outcome);
    expect(warm).to.equal(-100_000);
    expect(after).to.deep.equal([warm, warm, warm, warm]);
  });

  it('a gradient that was detached is noticed by code that has seen resizable buffers', () => {
    const { outcome, untouched } = inChild<{ outcome: Outcome; untouched: boolean }>(`
      const n = 4096, v = g.variable(new Float32Array(n)), w = g.variable([0, 0, 0, 0]);
      const o = new g.GradientDescentOptimizer({ learningRate: 1 });
      const p = new g.GradientDescentOptimizer({ learningRate: 1 });
      const resizable = new Float32Array(new ArrayBuffer(16, { maxByteLength: 64 }), 0, 4);
      const gradient = new Float32Array(n).fill(1);
      o.applyGradients([[gradient, v]]);
      for (let i = 0; i < 50000; i++) { p.applyGradients([[resizable, w]]); o.applyGradients([[gradient, v]]); }
      v.data.fill(0);
      free(gradient);
      const outcome = attempt(() => o.applyGradients([[gradient, v]]));
      report({ outcome, untouched: all(v.data, 0) });
    `);
    expectRefused(outcome);
    expect(untouched).to.equal(true);
  });

  // As a log without copies does: a gradient's array is sent away, and what was sent must not change any more.
  for (const when of ['before the step', 'after the step', 'after the next gradients']) {
    it(`a gradient's array that is transferred ${when} is let go of, and training goes on`, () => {
      type Result = { outcomes: Outcome[]; weights: number[]; sentStays: boolean };
      const { outcomes, weights, sentStays } = inChild<Result>(`
        const w = g.variable(new Float32Array(1000).fill(1));
        const o = new g.GradientDescentOptimizer({ learningRate: 0.25 });
        const loss = () => g.ops.reduceSum(g.ops.square(w));
        const send = (array) => structuredClone(array, { transfer: [array.buffer] });
        const outcomes = [], weights = [];
        let sent, copy;
        for (let s = 0; s < 6; s++) {
          outcomes.push(attempt(() => {
            const pairs = o.computeGradients(loss), { data } = pairs[0][0];
            const take = () => { copy = data.slice(); sent = send(data); };
            if (s === 1 && '${when}' === 'before the step') take();
            o.applyGradients(pairs);
            if (s === 1 && '${when}' === 'after the step') take();
            if (s === 1 && '${when}' === 'after the next gradients') {
              const again = o.computeGradients(loss);
              copy = data.slice();
              sent = send(data);
            }
          }));
          weights.push(w.data[999]);
        }
        report({ outcomes, weights, sentStays: copy.length === 1000 && copy.every((x, i) => Object.is(x, sent[i])) });
      `);
      const expected: number[] = [];
      let weight = 1;
      outcomes.forEach((outcome, step) => {
        const isRefused = when === 'before the step' && step === 1;
        if (isRefused) expectRefused(outcome, ['Error']);
        else expect(outcome, `step ${step}`).to.deep.equal({ error: null, message: '' });
        if (!isRefused) weight /= 2;
        expected.push(weight);
      });
      expect(weights).to.deep.equal(expected);
      expect(sentStays).to.equal(true);
    });
  }

  it('a tensor that is over cannot be read, though its product with the factor was read before', () => {
    const w = variable([3, 4]);
    const optimizer = new GradientDescentOptimizer({ learningRate: 0.1 });
    const loss = () => ops.l2Loss(w);
    const pairs = optimizer.computeGradients(loss);
    const [mine] = clipByGlobalNorm(pairs, 1);
    const [applied] = clipByGlobalNorm(pairs, 2);
    const gradient = mine[0]![0] as ReturnType<typeof ops.l2Loss>;
    expect(gradient.data.length).to.equal(2);
    optimizer.applyGradients(applied);
    optimizer.computeGradients(loss);
    expect(gradient.isDisposed).to.equal(true);
    expect(() => gradient.toArray()).to.throw(Error, 'has been applied');
    expect(() => gradient.data).to.throw(Error, 'has been applied');
    expect(() => optimizer.applyGradients([[gradient, w]])).to.throw(Error, 'has been applied');
  });

  // The limit is of address space, which a sanitizer needs too much of.
  it('native code that finds no memory throws, and the process goes on', function () {
    this.timeout(120_000);
    if (process.platform !== 'linux' || process.env['LD_PRELOAD']?.includes('libasan')) this.skip();
    for (const name of ['Lars', 'Lamb', 'Adam']) {
      type Result = { outcome: Outcome; moved: boolean; afterwards: number };
      const { outcome, moved, afterwards } = inLimitedChild<Result>(`
        const v = g.variable(new Float32Array(2 ** 26).fill(1), { shape: [2 ** 20, 64] });
        const o = new g.${name}Optimizer({ learningRate: 1 });
        const gradient = new g.IndexedSlices(g.tensor(new Float32Array(64).fill(1), [1, 64]), [3]);
        o.applyGradients([[gradient, v]]);
        const before = v.data[3 * 64];
        const hold = [];
        // Some stays for the engine, which ends the process when it finds none itself.
        const read = (file, what) => Number(what.exec(require('node:fs').readFileSync('/proc/self/' + file, 'utf8'))[1]);
        const limit = read('limits', /Max address space\\s+(\\d+)/);
        while (limit - 1024 * read('status', /VmSize:\\s*(\\d+)/) > 80 * 2 ** 20) hold.push(new Float32Array(2 ** 23));
        const outcome = attempt(() => o.applyGradients([[gradient, v]]));
        const moved = v.data[3 * 64] !== before;
        hold.length = 0;
        gc();
        const w = g.variable([5]);
        new g.GradientDescentOptimizer({ learningRate: 1 }).applyGradients([[Float32Array.of(1), w]]);
        report({ outcome, moved, afterwards: w.item() });
      `);
      if (outcome.error !== null) expectRefused(outcome, ['Error', 'RangeError']);
      expect(moved).to.equal(outcome.error === null);
      expect(afterwards).to.equal(4);
    }
  });
});

/** The same in a process with 3 GB of address space more than Node takes for itself. */
function inLimitedChild<T>(script: string): T {
  const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
  return inChild<T>(`
    const { execFileSync } = require('node:child_process');
    const node = ${JSON.stringify(quoted(process.execPath))}, script = ${JSON.stringify(quoted(prelude + script))};
    const size = Number(/VmSize:\\s*(\\d+)/.exec(require('node:fs').readFileSync('/proc/self/status', 'utf8'))[1]);
    process.stdout.write(execFileSync('sh', ['-c', 'ulimit -v ' + (size + 3 * 2 ** 20) + '; exec ' + node + ' -e ' + script]));
  `);
}
