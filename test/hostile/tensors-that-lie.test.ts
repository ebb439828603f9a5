import { expect } from 'chai';
import { expectRefused, inChild, type Outcome } from '../support/hostile-child';

// Each in a process of its own: one that believes them reads past the memory, and may end there.
const lies = `
  const define = (of, properties) => {
    for (const [name, value] of Object.entries(properties)) Object.defineProperty(of, name, { value });
    return of;
  };
  const n = 1 << 24;
`;

describe('tensors and variables with properties of their own over what they are', () => {
  it('gradients that are too short, or of another dtype, are refused, also after others of that shape', () => {
    for (const values of ['[1, 2]', 'new Int32Array(2)']) {
      for (const before of [0, 3]) {
        const { outcome, untouched } = inChild<{ outcome: Outcome; untouched: boolean }>(`
          ${lies}
          const v = g.variable(new Float32Array(n)), o = new g.GradientDescentOptimizer({ learningRate: 1 });
          const zeros = g.tensor(new Float32Array(n));
          for (let i = 0; i < ${before}; i++) o.applyGradients([[zeros, v]]);
          const short = define(g.tensor(${values}), { size: n, shape: zeros.shape, dtype: 'float32' });
          const outcome = attempt(() => o.applyGradients([[short, v]]));
          report({ outcome, untouched: all(v.data, 0) });
        `);
        expectRefused(outcome, ['TypeError', 'RangeError']);
        expect(untouched).to.equal(true);
      }
    }
  });

  it('rows of sparse gradients that are too short are refused', () => {
    const { outcome, untouched } = inChild<{ outcome: Outcome; untouched: boolean }>(`
      ${lies}
      const v = g.variable(new Float32Array(n), { shape: [2, n / 2] });
      const rows = new g.IndexedSlices(g.tensor([[1, 2]]), [1]);
      define(rows.values, { size: n / 2, shape: [1, n / 2] });
      const outcome = attempt(() => new g.GradientDescentOptimizer({ learningRate: 1 }).applyGradients([[rows, v]]));
      report({ outcome, untouched: all(v.data, 0) });
    `);
    expectRefused(outcome, ['TypeError', 'RangeError']);
    expect(untouched).to.equal(true);
  });

  it('norms are those of the true elements', () => {
    const { norm } = inChild<{ norm: number }>(`
      ${lies}
      report({ norm: g.globalNorm([define(g.tensor([3, 4]), { size: n })]) });
    `);
    expect(norm).to.equal(5);
  });

  it('variables step all and only what they have, or are refused', () => {
    for (const name of ['GradientDescentOptimizer', 'AdamOptimizer']) {
      for (const size of ['n', '2']) {
        const { outcome, values } = inChild<{ outcome: Outcome; values: number[] }>(`
          ${lies}
          const v = define(g.variable([1, 2, 3, 4]), { size: ${size}, shape: [${size}] });
          const gradient = new Float32Array(${size}).fill(1);
          const outcome = attempt(() => new g.${name}({ learningRate: 1 }).applyGradients([[gradient, v]]));
          report({ outcome, values: v.toArray() });
        `);
        expectRefused(outcome, ['TypeError', 'RangeError', 'Error']);
        expect(values).to.deep.equal([1, 2, 3, 4]);
      }
    }
  });
});
