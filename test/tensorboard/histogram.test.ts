import { expect } from 'chai';
import fc from 'fast-check';
import { clipByGlobalNorm, IndexedSlices, tensor, variable, type FloatArray } from 'gradstep';
import { histogramOf, type Histogram } from 'gradstep/tensorboard';
import { formatNumber, native } from '../../lib/native';
import { dtypes, expectSameEverywhere, lengths, random, specials, type Make } from '../support/parity';

/** TensorFlow's default limits, by its own loop. */
const limits: number[] = (() => {
  const positive: number[] = [];
  for (let limit = 1e-12; limit < 1e20; limit *= 1.1) positive.push(limit);
  positive.push(Number.MAX_VALUE);
  return [...positive.map((limit) => -limit).reverse(), 0, ...positive];
})();

function bucketOf(value: number): number {
  let low = 0;
  let high = limits.length - 1; // the last bucket also has the largest number there is
  while (low < high) {
    const middle = (low + high) >> 1;
    if (limits[middle]! > value) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** What TensorFlow's loop computes, but that it refuses what is not finite. */
function reference(values: Iterable<number>): Histogram {
  const counts = limits.map(() => 0);
  const all = { min: Number.MAX_VALUE, max: -Number.MAX_VALUE, num: 0, sum: 0, sumSquares: 0, nonFinite: 0 };
  for (const value of values) {
    if (!Number.isFinite(value)) {
      all.nonFinite++;
      continue;
    }
    counts[bucketOf(value)]!++;
    all.num++;
    all.min = Math.min(all.min, value);
    all.max = Math.max(all.max, value);
    all.sum += value;
    all.sumSquares += value * value;
  }
  const bucketLimit: number[] = [];
  const bucket: number[] = [];
  for (let i = 0; i < counts.length;) {
    let end = i++;
    if (counts[end] === 0) while (i < counts.length && counts[i] === 0) end = i++;
    bucketLimit.push(limits[end]!);
    bucket.push(counts[end]!);
  }
  return { ...all, bucketLimit, bucket };
}

function expectHistogram(found: Histogram, values: Iterable<number>): void {
  const list = [...values];
  const { sum, sumSquares, ...exact } = reference(list);
  const { sum: foundSum, sumSquares: foundSquares, ...others } = found;
  expect(others).to.deep.equal({ ...exact, min: exact.min + 0, max: exact.max + 0 });
  const sizes = list.reduce((all, value) => all + (Number.isFinite(value) ? Math.abs(value) : 0), 0);
  if (!Number.isFinite(sizes)) return;
  expect(foundSum).to.be.closeTo(sum, 1e-12 * sizes);
  if (Number.isFinite(sumSquares)) expect(foundSquares).to.be.closeTo(sumSquares, 1e-12 * sumSquares);
}

/** A number, and those before and after it in the precision of the array. */
function neighbours(make: Make, value: number): number[] {
  const array = make(1);
  array[0] = value;
  const bits = array instanceof Float32Array ? new Int32Array(array.buffer) : new BigInt64Array(array.buffer);
  const found = [array[0]];
  for (const change of [1, -1, -1]) {
    if (bits instanceof Int32Array) bits[0]! += change;
    else bits[0]! += BigInt(change);
    found.push(array[0]);
  }
  return found;
}

const arrayOf = (make: Make, values: readonly number[]): FloatArray => {
  const array = make(values.length);
  array.set(values);
  return array;
};

describe('histograms', () => {
  it("have TensorFlow's limits", () => {
    const found = new Float64Array(native.histogramBuckets);
    native.histogramLimits(found);
    expect([...found]).to.deep.equal(limits);
    expect(limits).to.have.lengthOf(1551);
  });

  for (const [dtype, make] of dtypes) {
    it(`count every value in the bucket that TensorFlow's search finds (${dtype})`, () => {
      fc.assert(
        fc.property(
          fc.array(
            fc.oneof(
              fc.double(),
              fc.double({ min: -1, max: 1 }),
              fc.double({ min: -30, max: 30 }).map((power) => 10 ** power),
              fc.double({ min: -30, max: 30 }).map((power) => -(10 ** power)),
              fc.constantFrom(...specials),
            ),
          ),
          (values) => {
            const array = arrayOf(make, values);
            expectHistogram(histogramOf(array), array);
          },
        ),
      );
    });

    it(`put limits, and the numbers next to them, where they belong (${dtype})`, () => {
      for (const limit of limits) {
        for (const value of neighbours(make, limit).filter(Number.isFinite)) {
          expectHistogram(histogramOf(arrayOf(make, [value])), [value]);
        }
      }
    }).timeout(60_000);

    it(`are the same everywhere, at any length (${dtype})`, () => {
      for (const n of [...lengths, 1023, 1024, 1025, 100_003]) {
        for (const withSpecials of [false, true]) {
          const x = random(make, n, n, withSpecials);
          expectHistogram(histogramOf(x), x);
          expectSameEverywhere(`the histogram of ${n}`, () => {
            const out = new Float64Array(6 + native.histogramBuckets);
            native.histogramAt(out, Float64Array.of(native.addressOf(x), n, 0.75), formatNumber[dtype]);
            return [out];
          });
        }
      }
    });

    it(`of nothing are TensorFlow's of nothing (${dtype})`, () => {
      for (const nothing of [make(0), arrayOf(make, [NaN, Infinity, -Infinity])]) {
        const histogram = histogramOf(nothing);
        expectHistogram(histogram, nothing);
        expect(histogram).to.deep.include({
          num: 0,
          sum: 0,
          sumSquares: 0,
          bucketLimit: [Number.MAX_VALUE],
          bucket: [0],
        });
        expect(histogram).to.include({ min: Number.MAX_VALUE, max: -Number.MAX_VALUE, nonFinite: nothing.length });
      }
    });

    it(`take -0 for 0 (${dtype})`, () => {
      const { min, max } = histogramOf(arrayOf(make, [-0, -0]));
      expect([min, max].every((value) => Object.is(value, 0))).to.equal(true);
      expect(histogramOf(arrayOf(make, [-0, 0])).bucket).to.include(2);
    });

    it(`of a clipped gradient are those of its values (${dtype})`, () => {
      const gradient = tensor(random(make, 5000, 1), [5000]);
      const [[clipped]] = clipByGlobalNorm([gradient], 0.37);
      expect(histogramOf(clipped)).to.deep.equal(histogramOf(clipped.data.slice()));
    });
  }

  it('take whatever has numbers', () => {
    const expected = histogramOf(Float64Array.of(1, 2, 3));
    const slices = new IndexedSlices(Float32Array.of(1, 2, 3), [5, 7, 7]);
    const arrays = [Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array];
    const inputs = [
      [1, 2, 3],
      tensor([1, 2, 3]),
      variable([[1], [2], [3]]),
      slices,
      ...arrays.map((Kind) => Kind.of(1, 2, 3)),
    ];
    for (const input of inputs) expect(histogramOf(input)).to.deep.equal(expected);
  });

  it('refuse everything else, and memory that is gone', () => {
    for (const input of [
      '1',
      1,
      null,
      undefined,
      {},
      [1, '2'],
      BigInt64Array.of(1n),
      new DataView(new ArrayBuffer(8)),
    ]) {
      expect(() => histogramOf(input as never)).to.throw(TypeError, 'values must');
    }
    const v = variable([1]);
    v.dispose();
    expect(() => histogramOf(v)).to.throw(Error, 'disposed');
    const array = new Float32Array(4);
    structuredClone(array.buffer, { transfer: [array.buffer] });
    expect(histogramOf(array).num).to.equal(0); // it has no elements any more
  });

  it('refuse tables that are none', () => {
    const out = new Float64Array(6 + native.histogramBuckets);
    expect(() => native.histogramAt(out, new Float64Array(2), 0)).to.throw(RangeError, 'table');
    expect(() => native.histogramAt(out, Float64Array.of(0, 1, 1), 0)).to.throw(RangeError, 'table');
    expect(() => native.histogramAt(out, Float64Array.of(0, 0, 1), 7)).to.throw(RangeError, 'format');
    expect(() => native.histogramAt(out.subarray(1), Float64Array.of(0, 0, 1), 0)).to.throw(RangeError, 'out');
    expect(() => native.histogramLimits(out)).to.throw(RangeError, 'out');
  });
});
