import { native } from '../../lib/native';
import { dtypes, expectSameEverywhere, random, unaligned } from '../support/parity';
import { expect } from 'chai';

const sizes = [
  [1, 1, 1],
  [0, 3, 2],
  [2, 3, 0],
  [5, 17, 9],
  [6, 16, 31],
  [7, 33, 64],
  [13, 10, 65],
  [64, 256, 100],
  [64, 10, 256],
  [130, 47, 300],
  [300, 257, 64],
] as const;

describe('matrix multiplication kernel', () => {
  for (const [dtype, make] of dtypes) {
    it(`is one chain of fused multiply-adds, the same everywhere, for all transposes, bias and relu (${dtype})`, () => {
      for (const [m, n, k] of sizes) {
        const a = random(make, m * k, m + k);
        const b = random(make, k * n, n + k);
        const bias = random(make, n, n);
        for (const [transposeA, transposeB] of [
          [false, false],
          [true, false],
          [false, true],
          [true, true],
        ] as const) {
          expectSameEverywhere(`${m} x ${k} x ${n}`, () => {
            const outs = [unaligned(make, m * n), unaligned(make, m * n)];
            native.gemm(outs[0]!, a, b, m, n, k, transposeA, transposeB, undefined, false);
            native.gemm(outs[1]!, a, b, m, n, k, transposeA, transposeB, bias, true);
            return outs;
          });
        }
      }
    });

    it(`is the product (${dtype})`, () => {
      for (const [m, n, k] of sizes) {
        const a = random(make, m * k, m + k);
        const b = random(make, k * n, n + k);
        const out = make(m * n);
        native.gemm(out, a, b, m, n, k, false, false, undefined, false);
        for (let i = 0; i < m * n; i += 7) {
          const [row, column] = [Math.floor(i / n), i % n];
          let expected = 0;
          let magnitude = 1e-30;
          for (let j = 0; j < k; j++) {
            const term = a[row * k + j]! * b[j * n + column]!;
            expected += term;
            magnitude += Math.abs(term);
          }
          expect(out[i]).to.be.closeTo(expected, magnitude * (dtype === 'float32' ? 1e-5 : 1e-13));
        }
      }
    });
  }

  it('refuses sizes that do not fit the arrays', () => {
    const x = new Float32Array(4);
    expect(() => native.gemm(x, x, x, 2, 2, 3, false, false, undefined, false)).to.throw(RangeError);
    expect(() => native.gemm(x, x, x, 2, 2, 2, false, false, new Float32Array(1), false)).to.throw(RangeError, 'bias');
  });
});
