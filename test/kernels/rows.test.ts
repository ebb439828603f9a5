import { expect } from 'chai';
import { native } from '../../lib/native';
import { dtypes, expectSameEverywhere, random, unaligned } from '../support/parity';

const shapes = [
  [1, 1],
  [3, 1],
  [1, 15],
  [5, 16],
  [2, 17],
  [7, 33],
  [64, 10],
  [300, 257],
  [2, 40_001],
  [1, 70_000],
] as const;

describe('row kernels', () => {
  for (const [dtype, make] of dtypes) {
    const tolerance = dtype === 'float32' ? 1e-6 : 1e-13;

    it(`sums over any of three dimensions are right and the same everywhere (${dtype})`, () => {
      for (const [outer, reduced, inner] of [
        [1, 0, 3],
        [1, 1, 1],
        [1, 100_000, 1],
        [3, 17, 1],
        [1, 64, 257],
        [5, 9, 33],
        [1, 3000, 5],
        [700, 60, 1],
      ] as const) {
        const x = random(make, outer * reduced * inner, reduced);
        const compute = (): Float32Array | Float64Array => {
          const out = unaligned(make, outer * inner);
          native.sum(out, x, outer, reduced, inner, 0.5);
          return out;
        };
        expectSameEverywhere(`sum of ${outer} x ${reduced} x ${inner}`, () => [compute()]);
        compute().forEach((value, i) => {
          let expected = 0;
          let magnitude = 1;
          for (let r = 0; r < reduced; r++) {
            const term = x[(Math.floor(i / inner) * reduced + r) * inner + (i % inner)]! / 2;
            expected += term;
            magnitude += Math.abs(term);
          }
          expect(value).to.be.closeTo(expected, tolerance * magnitude);
        });
      }
    });

    it(`softmax, its logarithm, their gradients and the losses are the same everywhere (${dtype})`, () => {
      for (const [rows, columns] of shapes) {
        const n = rows * columns;
        const x = random(make, n, n);
        const y = random(make, n, n + 1);
        const labels = Int32Array.from({ length: rows }, (_, i) => (i * 7) % columns);
        expectSameEverywhere(`${rows} x ${columns}`, () => {
          const outs = Array.from({ length: 7 }, () => unaligned(make, n));
          const losses = [unaligned(make, rows), unaligned(make, rows)];
          native.softmax(outs[0]!, x, columns);
          native.logSoftmax(outs[1]!, x, columns);
          native.softmaxGradient(outs[2]!, y, outs[0]!, columns);
          native.logSoftmaxGradient(outs[3]!, y, outs[1]!, columns);
          native.softmaxCrossEntropy(losses[0]!, outs[4]!, outs[0]!, x, columns);
          native.sparseSoftmaxCrossEntropy(losses[1]!, outs[5]!, labels, x, columns);
          native.scaleRows(outs[6]!, x, losses[1]!);
          return [...outs, ...losses];
        });
      }
    });

    it(`gather, scatterAdd and permute are the same everywhere and do what they say (${dtype})`, () => {
      const params = random(make, 100 * 33, 5);
      const indices = Int32Array.from({ length: 2000 }, (_, i) => (i * 37) % 100);
      const gathered = make(2000 * 33);
      expectSameEverywhere('gather', () => {
        native.gather(gathered, params, indices, 100, 33);
        return [gathered];
      });
      expect([...gathered.subarray(33, 66)]).to.deep.equal([...params.subarray(37 * 33, 38 * 33)]);
      expectSameEverywhere('scatterAdd', () => {
        const out = make(100 * 33);
        native.scatterAdd(out, gathered, indices, 100, 33, 0.5);
        return [out];
      });
      expectSameEverywhere('permute', () => {
        const out = make(params.length);
        native.permute(out, params, Float64Array.of(33, 100, 1, 33));
        expect(out[5 * 100 + 7]).to.equal(params[7 * 33 + 5]);
        return [out];
      });
    });
  }

  it('softmax of a row with a NaN is NaN throughout, and shifts cannot overflow', () => {
    const out = new Float32Array(3);
    native.softmax(out, Float32Array.of(1, NaN, 2), 3);
    expect([...out]).to.deep.equal([NaN, NaN, NaN]);
    native.softmax(out, Float32Array.of(1e30, 1e30, -1e30), 3);
    expect([...out]).to.deep.equal([0.5, 0.5, 0]);
  });

  it('refuses labels and indices out of range before anything is written', () => {
    const out = new Float32Array(6).fill(7);
    const loss = new Float32Array(2).fill(7);
    const logits = new Float32Array(6);
    expect(() => native.sparseSoftmaxCrossEntropy(loss, out, Int32Array.of(0, 3), logits, 3)).to.throw(
      RangeError,
      'labels[1] is 3, expected 0 to 3 (exclusive)',
    );
    expect(() => native.gather(out, logits, Int32Array.of(0, -1), 2, 3)).to.throw(RangeError, 'indices[1] is -1');
    expect(() => native.scatterAdd(out, logits, Int32Array.of(0, 2), 2, 3, 1)).to.throw(RangeError, 'indices[1] is 2');
    expect([...out, ...loss]).to.deep.equal(new Array(8).fill(7));
  });
});
