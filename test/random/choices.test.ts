import { expect } from 'chai';
import * as fc from 'fast-check';
import { ops, RandomGenerator, tensor, variable } from 'gradstep';

const seeded = (seed = 1): RandomGenerator => new RandomGenerator(seed);

/** How often each value comes. */
function tally(list: Iterable<unknown>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of list) counts[String(value)] = (counts[String(value)] ?? 0) + 1;
  return counts;
}

/** Pearson's: the sum of (found - expected)² / expected. */
const chiSquare = (found: readonly number[], expected: readonly number[]): number =>
  found.reduce((sum, count, i) => sum + (count - expected[i]!) ** 2 / expected[i]!, 0);

describe('random.permutation', () => {
  it('has every number below n once', () => {
    fc.assert(
      fc.property(fc.nat(300), fc.nat(), (n, seed) => {
        const order = seeded(seed).permutation(n);
        expect(order).to.be.instanceOf(Int32Array);
        expect([...order].sort((a, b) => a - b)).to.deep.equal(Array.from({ length: n }, (_, i) => i));
      }),
    );
  });

  it('gives every order equally often', () => {
    const random = seeded();
    const orders = tally(Array.from({ length: 24_000 }, () => random.permutation(4)));
    expect(Object.keys(orders)).to.have.length(24);
    expect(chiSquare(Object.values(orders), new Array<number>(24).fill(1000))).to.be.below(49.7); // one in a thousand
  });

  it('orders the rows of a tensor', () => {
    const order = seeded().permutation(3);
    const rows = [[1, 2], [3, 4], [5, 6]]; // prettier-ignore
    expect(ops.gather(tensor(rows), order).toArray()).to.deep.equal([...order].map((row) => rows[row]));
  });

  it('refuses what is no number of elements', () => {
    expect(() => seeded().permutation(-1)).to.throw(
      RangeError,
      'n must be a whole number from 0 to 2147483647, got -1',
    );
    expect(() => seeded().permutation('3' as never)).to.throw(TypeError, 'n must be a number');
    expect(() => seeded().permutation(3, { dtype: 'float32' } as never)).to.throw(TypeError, "there is no 'dtype'");
  });
});

describe('random.shuffle', () => {
  it('gives a copy of the same kind, ordered as a permutation', () => {
    const order = seeded().permutation(5);
    const words = ['a', 'b', 'c', 'd', 'e'];
    expect(seeded().shuffle(words)).to.deep.equal([...order].map((i) => words[i]));
    expect(words.join('')).to.equal('abcde');
    const numbers = Float64Array.of(0, 1, 2, 3, 4);
    expect(seeded().shuffle(numbers)).to.deep.equal(Float64Array.from(order));
    expect(seeded().shuffle(BigInt64Array.of(7n))).to.deep.equal(BigInt64Array.of(7n));
    expect(seeded().shuffle([])).to.deep.equal([]);
    const longer = Object.defineProperty(Float32Array.of(7), 'length', { value: 1000 });
    expect(seeded().shuffle(longer)).to.deep.equal(Float32Array.of(7));
  });

  it('refuses what is no array', () => {
    expect(() => seeded().shuffle('abc' as never)).to.throw(TypeError, 'array must be an array or a typed array');
    expect(() => seeded().shuffle(new DataView(new ArrayBuffer(8)) as never)).to.throw(TypeError);
  });
});

describe('random.categorical', () => {
  it('gives each class as often as its logit says', () => {
    const odds = [1, 2, 0, 5, 2];
    const found = tally(seeded().categorical(Float64Array.from(odds, Math.log), 100_000));
    expect(found[2]).to.equal(undefined);
    const expected = odds.filter((p) => p > 0).map((p) => p * 10_000);
    expect(chiSquare(Object.values(found), expected)).to.be.below(16.3); // one in a thousand
  });

  it('gives numSamples indices for each row, one after the other', () => {
    const certain = (k: number): number[] => [0, 1, 2].map((i) => (i === k ? 0 : -Infinity));
    const logits = tensor([certain(2), certain(0), certain(1)]);
    expect([...seeded().categorical(logits, 2)]).to.deep.equal([2, 2, 0, 0, 1, 1]);
    expect([...seeded().categorical(logits)]).to.deep.equal([2, 0, 1]);
    expect([...seeded().categorical(logits, 0)]).to.deep.equal([]);
    expect([...seeded().categorical(tensor([], [0, 3]), 4)]).to.deep.equal([]);
    expect([...seeded().categorical(variable([[7]]), 3)]).to.deep.equal([0, 0, 0]);
  });

  it('is the same in float32 and float64, and takes no note of what all logits have in common', () => {
    const logits = [0.5, -1.25, 2];
    const pick = (shift: number, dtype: 'float32' | 'float64') =>
      seeded().categorical(tensor(logits.map((x) => x + shift), [3], dtype), 1000); // prettier-ignore
    expect(pick(0, 'float64')).to.deep.equal(pick(0, 'float32'));
    expect(pick(1024, 'float64')).to.deep.equal(pick(0, 'float32'));
  });

  it('refuses rows that no class can be drawn from, and draws nothing', () => {
    const random = seeded();
    const before = random.state();
    const rows = (row: number[]) => tensor([[1, 2], row]);
    for (const row of [
      [NaN, 1],
      [Infinity, 1],
      [-Infinity, -Infinity],
    ]) {
      // prettier-ignore
      expect(() => random.categorical(rows(row))).to.throw(RangeError, 'row 1 is not');
    }
    expect(() => random.categorical(tensor([], [2, 0]))).to.throw(RangeError, 'got shape [2, 0]');
    expect(() => random.categorical(1)).to.throw(RangeError, 'logits must be [classes] or [batch, classes]');
    expect(() => random.categorical(tensor([[[1]]]))).to.throw(RangeError, 'got shape [1, 1, 1]');
    expect(() => random.categorical([1] as never)).to.throw(TypeError, 'logits must be a Tensor');
    expect(() => random.categorical(tensor([1]), 0.5)).to.throw(RangeError, 'numSamples must be a whole number');
    expect(random.state()).to.deep.equal(before);
  });
});
