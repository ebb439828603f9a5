import { expect } from 'chai';
import * as fc from 'fast-check';
import { RandomGenerator, type DType, type Tensor } from 'gradstep';
import { wordsOf } from '../support/philox';

const dtypes: readonly DType[] = ['float32', 'float64'];
const count = 100_000;

const seeded = (seed = 1): RandomGenerator => new RandomGenerator(seed);
const values = (tensor: Tensor): number[] => Array.from(tensor.data);

/** The normal distribution function to 2e-7 (Abramowitz and Stegun, 7.1.26). */
function normalBelow(x: number): number {
  const t = 1 / (1 + 0.3275911 * Math.abs(x / Math.SQRT2));
  const series = [0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429];
  const tail = series.reduceRight((sum, c) => (sum + c) * t, 0) * Math.exp((-x * x) / 2);
  return x < 0 ? tail / 2 : 1 - tail / 2;
}

/** The probability that a normal number that is less than 2 in size is below x. */
const truncatedBelow = (x: number): number => (normalBelow(x) - normalBelow(-2)) / (normalBelow(2) - normalBelow(-2));

/**
 * Kolmogorov and Smirnov: how far apart what is below each number lies from what should be, times √n. One sample in a
 * thousand has more than 1.95; these are always the same.
 */
function distanceFrom(below: (x: number) => number, sample: readonly number[]): number {
  const sorted = [...sample].sort((a, b) => a - b);
  const apart = sorted.map((x, i) => Math.max((i + 1) / sorted.length - below(x), below(x) - i / sorted.length));
  return apart.reduce((a, b) => Math.max(a, b), 0) * Math.sqrt(sorted.length);
}

function momentsOf(sample: readonly number[]): { mean: number; variance: number; skew: number; kurtosis: number } {
  const about = (center: number, power: number): number =>
    sample.reduce((sum, x) => sum + (x - center) ** power, 0) / sample.length;
  const mean = about(0, 1);
  const variance = about(mean, 2);
  return { mean, variance, skew: about(mean, 3) / variance ** 1.5, kurtosis: about(mean, 4) / variance ** 2 };
}

for (const dtype of dtypes) {
  describe(`random numbers in ${dtype}`, () => {
    it('of uniform are evenly distributed', () => {
      const sample = values(seeded().uniform([count], { dtype }));
      expect(distanceFrom((x) => x, sample)).to.be.below(1.95);
      const { mean, variance } = momentsOf(sample);
      expect(mean).to.be.closeTo(1 / 2, 0.003);
      expect(variance).to.be.closeTo(1 / 12, 0.001);
    });

    it('of normal are normally distributed', () => {
      const sample = values(seeded().normal([count], { dtype }));
      expect(distanceFrom(normalBelow, sample)).to.be.below(1.95);
      const { mean, variance, skew, kurtosis } = momentsOf(sample);
      expect(mean).to.be.closeTo(0, 0.01);
      expect(variance).to.be.closeTo(1, 0.015);
      expect(skew).to.be.closeTo(0, 0.03);
      expect(kurtosis).to.be.closeTo(3, 0.06);
      expect(Math.max(...sample.slice(0, count / 2).map(Math.abs))).to.be.above(4);
    });

    it('of truncatedNormal are normally distributed between -2 and 2, and no further', () => {
      const sample = values(seeded().truncatedNormal([count], { dtype }));
      expect(distanceFrom(truncatedBelow, sample)).to.be.below(1.95);
      expect(sample.every((x) => Math.abs(x) < 2)).to.equal(true);
      expect(sample.some((x) => x > 1.999) && sample.some((x) => x < -1.999)).to.equal(true);
      expect(momentsOf(sample).variance).to.be.closeTo(0.7737, 0.01);
    });

    it('are independent of their neighbours and of those of the next seed', () => {
      const [a, b] = [values(seeded(1).normal([count], { dtype })), values(seeded(2).normal([count], { dtype }))];
      const correlation = (shift: number, other: readonly number[]): number =>
        a.slice(shift).reduce((sum, x, i) => sum + x * other[i]!, 0) / count;
      for (const shift of [1, 2, 3, 4, 5, 8, 16, 32]) expect(correlation(shift, a)).to.be.closeTo(0, 0.015);
      expect(correlation(0, b)).to.be.closeTo(0, 0.015);
    });

    it('have the mean, the deviation and the bounds asked for', () => {
      const { mean, variance } = momentsOf(values(seeded().normal([count], { mean: -3, stddev: 0.5, dtype })));
      expect([mean, Math.sqrt(variance)].map((x) => Number(x.toFixed(2)))).to.deep.equal([-3, 0.5]);
      expect(values(seeded().normal([5], { mean: 7, stddev: 0, dtype }))).to.deep.equal([7, 7, 7, 7, 7]);
      const bounds = fc.double({ min: -1e30, max: 1e30, noNaN: true });
      fc.assert(
        fc.property(bounds, bounds, fc.nat(1000), (a, b, seed) => {
          const [low, high] = [Math.fround(Math.min(a, b)), Math.fround(Math.max(a, b))];
          fc.pre(low < high);
          const sample = values(seeded(seed).uniform([40], { low, high, dtype }));
          expect(sample.every((x) => x >= low && x < high)).to.equal(true);
        }),
      );
    });

    it('of bernoulli are 1 as often as asked for', () => {
      for (const p of [0, 0.001, 0.3, 0.5, 0.9, 1]) {
        const sample = values(seeded().bernoulli([count], p, { dtype }));
        expect(sample.every((x) => x === 0 || x === 1)).to.equal(true);
        expect(momentsOf(sample).mean).to.be.closeTo(p, 4 * Math.sqrt((p * (1 - p)) / count));
      }
    });
  });
}

describe('random numbers', () => {
  it('are made of the words of the counters that follow each other', () => {
    const random = seeded(2 ** 40 + 5);
    random.uniform([5]); // two blocks
    const words = wordsOf(2 ** 40 + 5, 0, 2, 4);
    expect(values(random.uniform([2, 2]))).to.deep.equal(words.map((word) => (word >>> 8) / 2 ** 24));
    random.uniform([0]);
    expect(values(random.uniform([1]))).to.deep.equal([(wordsOf(2 ** 40 + 5, 0, 3, 1)[0]! >>> 8) / 2 ** 24]);
  });

  it('have the shape asked for', () => {
    const random = seeded();
    expect(random.uniform([2, 3]).shape).to.deep.equal([2, 3]);
    expect(random.normal([]).shape).to.deep.equal([]);
    expect(random.truncatedNormal([4, 0], { dtype: 'float64' })).to.include({ size: 0, dtype: 'float64' });
    expect(random.bernoulli([1, 1], 0.5).dtype).to.equal('float32');
  });

  it('are drawn only when everything is right', () => {
    const random = seeded();
    const before = random.state();
    const refused: readonly [() => unknown, typeof TypeError | typeof RangeError, string][] = [
      [() => random.uniform(3 as never), TypeError, 'shape must be an array of sizes, got 3'],
      [() => random.uniform([-1]), RangeError, 'shape must hold whole numbers that are not negative, got -1'],
      [() => random.uniform([1], { low: 1 }), RangeError, 'low must be below high in float32, got 1 and 1'],
      [() => random.uniform([1], { low: 1, high: 1 + 1e-12 }), RangeError, 'low must be below high in float32'],
      [() => random.uniform([1], { high: 1e39 }), RangeError, 'high must be finite in float32, got 1e+39'],
      [() => random.uniform([1], { low: -3e38, high: 3e38 }), RangeError, 'high - low must be finite in float32'],
      [() => random.uniform([1], { minval: 0 } as never), TypeError, "there is no 'minval', did you mean 'low'?"],
      [() => random.uniform([1], { dtype: 'int32' as never }), TypeError, "dtype must be 'float32' or 'float64'"],
      [() => random.uniform([1], { seed: -1 }), RangeError, 'seed must be a whole number from 0 to 9007199254740990'],
      [() => random.normal([1], { stddev: -1 }), RangeError, 'stddev must be a number that is not negative, got -1'],
      [() => random.normal([1], { mean: NaN }), RangeError, 'mean must be finite in float32, got NaN'],
      [() => random.truncatedNormal([1], { stddev: '1' as never }), TypeError, 'stddev must be a number, got "1"'],
      [() => random.bernoulli([1], 1.5), RangeError, 'probability must be a number from 0 to 1, got 1.5'],
      [() => random.uniform([2 ** 30, 2 ** 20]), RangeError, 'shape [1073741824, 1048576] is that of'],
    ];
    for (const [call, kind, message] of refused) expect(call).to.throw(kind, message);
    expect(random.state()).to.deep.equal(before);
  });
});
