import { expect } from 'chai';
import { tensor } from 'gradstep';
import { expectRefused, inChild, type Outcome } from '../support/hostile-child';

// Each in a process of its own: one that believes them reads past the array, and may end there.
const liars: Readonly<Record<string, string>> = {
  'an own property': `(values, length) => Object.defineProperty(Float32Array.from(values), 'length', { value: length })`,
  "a subclass's getter": `(values, length) => {
    class Matrix extends Float32Array { get length() { return length; } }
    const matrix = new Matrix(values.length);
    Float32Array.prototype.set.call(matrix, values);
    return matrix;
  }`,
};

describe('arrays that lie about themselves', () => {
  for (const [how, lie] of Object.entries(liars)) {
    it(`a length that is ${how}: the norm is that of the true elements, or the array is refused`, () => {
      for (const length of [2 ** 28, 2]) {
        const { outcome, norm } = inChild<{ outcome: Outcome; norm: number }>(`
          const lie = ${lie};
          let norm = 0;
          const outcome = attempt(() => { norm = g.globalNorm([lie([3, 4, 0, 12], ${length})]); });
          report({ outcome, norm });
        `);
        if (outcome.error === null) expect(norm).to.equal(13);
        else expectRefused(outcome, ['TypeError', 'RangeError']);
      }
    });

    it(`a length that is ${how}: a gradient that is too short is refused`, () => {
      const { outcome, untouched } = inChild<{ outcome: Outcome; untouched: boolean }>(`
        const lie = ${lie}, n = 1 << 24, v = g.variable(new Float32Array(n));
        const o = new g.GradientDescentOptimizer({ learningRate: 1 });
        const outcome = attempt(() => o.applyGradients([[lie([1, 2, 3, 4], n), v]]));
        report({ outcome, untouched: all(v.data, 0) });
      `);
      expectRefused(outcome, ['TypeError', 'RangeError']);
      expect(untouched).to.equal(true);
    });

    it(`a length that is ${how}: a variable over it has the true elements, or is refused`, () => {
      type Result = { over: Outcome; step: Outcome; values: number[] };
      const { over, step, values } = inChild<Result>(`
        const lie = ${lie}, mine = lie([1, 2, 3, 4], 1 << 24);
        let v, step = { error: null };
        const over = attempt(() => { v = g.Variable.over(mine); });
        const o = new g.GradientDescentOptimizer({ learningRate: 1 });
        if (v) step = attempt(() => o.applyGradients([[new Float32Array(v.size).fill(1), v]]));
        report({ over, step, values: [...new Float32Array(mine.buffer)] });
      `);
      if (over.error !== null) expectRefused(over, ['TypeError', 'RangeError']);
      else if (step.error !== null) expectRefused(step);
      expect(values).to.deep.equal(over.error === null && step.error === null ? [0, 1, 2, 3] : [1, 2, 3, 4]);
    });
  }

  it('an own length does not hide that a known gradient was taken away', () => {
    const { outcome, untouched } = inChild<{ outcome: Outcome; untouched: boolean }>(`
      const v = g.variable(new Float32Array(4096)), gradient = new Float32Array(4096).fill(1);
      Object.defineProperty(gradient, 'length', { value: 4096 });
      const o = new g.GradientDescentOptimizer({ learningRate: 1 });
      o.applyGradients([[gradient, v]]);
      free(gradient);
      const others = [];
      for (let i = 0; i < 200; i++) others.push(new Float32Array(4096).fill(12345));
      v.data.fill(0);
      const outcome = attempt(() => o.applyGradients([[gradient, v]]));
      report({ outcome, untouched: all(v.data, 0) });
    `);
    expectRefused(outcome);
    expect(untouched).to.equal(true);
  });

  it('a shape assigned to a tensor throws or has no effect, and the step is refused', () => {
    type Result = { assigning: Outcome; shape: number[]; step: Outcome; untouched: boolean };
    const { assigning, shape, step, untouched } = inChild<Result>(`
      const n = 1 << 22, v = g.variable(new Float32Array(n)), t = g.ops.square(new Float32Array([1, 2]));
      const assigning = attempt(() => { t.shape = [n]; });
      const o = new g.GradientDescentOptimizer({ learningRate: 1 });
      const step = attempt(() => o.applyGradients([[t, v]]));
      report({ assigning, shape: t.shape, step, untouched: all(v.data, 0) });
    `);
    expect(assigning.error).to.be.oneOf([null, 'TypeError']);
    expect(shape).to.deep.equal([2]);
    expectRefused(step, ['RangeError']);
    expect(untouched).to.equal(true);
  });

  it('an array that holds itself is refused', () => {
    for (const make of ['g.tensor(a)', 'g.variable(a)', 'g.variable([1]).assign(a)', 'new g.IndexedSlices(a, [0])']) {
      for (const cycle of ['a.push(a)', 'a.push([[a]])', 'a.push([1], a)']) {
        const outcome = inChild<Outcome>(`
          require('node:v8').setFlagsFromString('--max-old-space-size=200');
          const a = [];
          ${cycle};
          report(attempt(() => ${make}));
        `);
        expectRefused(outcome, ['TypeError', 'RangeError']);
        expect(outcome.message, make).to.not.match(/call stack|array length/);
      }
    }
  }).timeout(120_000);

  it('an array that holds another one twice is no cycle', () => {
    const row = [1, 2];
    expect(tensor([row, row]).toArray()).to.deep.equal([
      [1, 2],
      [1, 2],
    ]);
  });
});
