import { expect } from 'chai';
import { formatNumber, native } from '../../lib/native';
import { dtypes, expectSameEverywhere, lengths, random } from '../support/parity';

describe('norm kernels', () => {
  for (const [dtype, make] of dtypes) {
    it(`the sum of squares is the same to the last bit everywhere, and right (${dtype})`, () => {
      for (const n of [...lengths, 100_003]) {
        const x = random(make, n, n);
        expectSameEverywhere(`sum of squares of ${n}`, () => [Float64Array.of(native.sumOfSquares([x]))]);
        const expected = Array.from(x).reduce((sum, value) => sum + value * value, 0);
        expect(native.sumOfSquares([x])).to.be.closeTo(expected, 1e-12 * expected);
      }
    });

    it(`a list of arrays with factors is the sum over its arrays, the same everywhere (${dtype})`, () => {
      const arrays = [0, 1, 5, 1000, 16384, 50_000, 3].map((n, i) => random(make, n, i));
      const factors = Float64Array.from(arrays, (_, i) => 0.5 + i);
      expectSameEverywhere('sum over a list', () => [Float64Array.of(native.sumOfSquares(arrays, factors))]);
      const expected = arrays.reduce((sum, x, i) => sum + factors[i]! ** 2 * native.sumOfSquares([x]), 0);
      expect(native.sumOfSquares(arrays, factors)).to.be.closeTo(expected, 1e-12 * expected);
    });

    it(`a table of addresses gives the same sum as the list (${dtype})`, () => {
      const arrays = [0, 1, 17, 40_000].map((n, i) => random(make, n, i));
      const table = Float64Array.from(arrays.flatMap((x, i) => [native.addressOf(x), x.length, i + 0.5]));
      expect(native.sumOfSquaresAt(table, arrays.length, formatNumber[dtype])).to.equal(
        native.sumOfSquares(
          arrays,
          Float64Array.from(arrays, (_, i) => i + 0.5),
        ),
      );
    });

    it(`the sums of blocks, added in their order, are the sum of all (${dtype})`, () => {
      const arrays = [0, 1, 16_384, 16_385, 50_000, 0].map((n, i) => random(make, n, i));
      const table = Float64Array.from(arrays.flatMap((x, i) => [native.addressOf(x), x.length, i + 0.5]));
      const blocks = arrays.flatMap((x, i) => {
        return Array.from({ length: Math.ceil(x.length / 16_384) }, (_, block) => {
          return native.sumOfSquares([x.subarray(16_384 * block, 16_384 * (block + 1))], Float64Array.of(i + 0.5));
        });
      });
      expectSameEverywhere('sums of blocks', () => {
        const sums = new Float64Array(blocks.length);
        native.sumsOfSquaresAt(table, arrays.length, formatNumber[dtype], sums);
        expect([...sums]).to.deep.equal(blocks);
        return [sums];
      });
      const sum = native.sumOfSquaresAt(table, arrays.length, formatNumber[dtype]);
      expect(blocks.reduce((total, block) => total + block, 0)).to.equal(sum);
      const out = new Float64Array(blocks.length - 1);
      expect(() => native.sumsOfSquaresAt(table, arrays.length, formatNumber[dtype], out)).to.throw(RangeError, 'out');
    });

    it(`one NaN or infinity anywhere shows (${dtype})`, () => {
      for (const n of [1, 15, 16, 17, 64, 65, 1000, 40_000]) {
        for (const bad of [NaN, Infinity, -Infinity]) {
          for (const at of [0, n >> 1, n - 1]) {
            const x = random(make, n, n);
            expect(native.allFinite([x])).to.equal(true);
            x[at] = bad;
            expect(native.allFinite([make(3), x])).to.equal(false);
            expect(native.sumOfSquares([x])).to.deep.equal(Number.isNaN(bad) ? NaN : Infinity);
          }
        }
      }
    });
  }

  it('large float32 values do not overflow', () => {
    expect(native.sumOfSquares([Float32Array.of(1e30, 1e30)])).to.be.closeTo(2e60, 1e54);
  });

  it('an empty list sums to 0 and is finite', () => {
    expect(native.sumOfSquares([])).to.equal(0);
    expect(native.allFinite([])).to.equal(true);
  });

  it('refuses what is no format', () => {
    for (const format of [native.formats.length, -1, 0.5, NaN]) {
      expect(() => native.sumOfSquaresAt(new Float64Array(3), 1, format), String(format)).to.throw(
        RangeError,
        'format',
      );
    }
    expect(() => native.sumOfSquaresAt(new Float64Array(3), 1, true as unknown as number)).to.throw(
      TypeError,
      'format',
    );
  });

  it('refuses lists of two dtypes and factors of another length', () => {
    expect(() => native.sumOfSquares([new Float32Array(1), new Float64Array(1)])).to.throw(TypeError, 'one dtype');
    expect(() => native.sumOfSquares([new Float32Array(1)], new Float64Array(2))).to.throw(RangeError);
  });
});
