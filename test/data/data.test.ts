import { expect } from 'chai';
import * as fc from 'fast-check';
import { data, random, RandomGenerator } from 'gradstep';

const all = async <T>(source: AsyncIterable<T>): Promise<T[]> => {
  const found: T[] = [];
  for await (const one of source) found.push(one);
  return found;
};

describe('data', () => {
  it('batches has every row once, each with what belongs to it, in another order each time', () => {
    fc.assert(
      fc.property(
        fc.nat(40),
        fc.integer({ min: 1, max: 12 }),
        fc.boolean(),
        fc.boolean(),
        (rows, batchSize, shuffle, dropRemainder) => {
          const x = Float32Array.from({ length: rows * 3 }, (_, i) => i);
          const y = Int32Array.from({ length: rows }, (_, i) => i);
          const found = [...data.batches({ x, y }, { batchSize, rows, shuffle, dropRemainder })];
          const whole = dropRemainder ? Math.floor(rows / batchSize) * batchSize : rows;
          expect(found).to.have.length(Math.ceil(whole / batchSize));
          const seen = found.flatMap((batch) => {
            batch.y.forEach((row, i) => {
              expect([...batch.x.subarray(3 * i, 3 * i + 3)]).to.deep.equal([3 * row, 3 * row + 1, 3 * row + 2]);
            });
            return [...batch.y];
          });
          expect(new Set(seen).size).to.equal(whole);
          if (!shuffle) expect(seen).to.deep.equal([...y.subarray(0, whole)]);
        },
      ),
    );
    const y = Int32Array.from({ length: 100 }, (_, i) => i);
    const epochs = data.batches({ y }, { batchSize: 100, shuffle: new RandomGenerator(1) });
    const orders = [0, 1].map(() => [...[...epochs][0]!.y].join());
    expect(orders[0]).not.to.equal(orders[1]);
  });

  it('batches gives arrays of their own', () => {
    const y = Int32Array.of(1, 2, 3, 4);
    const [first] = data.batches({ y }, { batchSize: 2 });
    first!.y.fill(0);
    expect([...y]).to.deep.equal([1, 2, 3, 4]);
  });

  it('batched puts rows together as they come', async () => {
    async function* rows() {
      for (let i = 0; i < 5; i++) {
        await Promise.resolve();
        yield { x: Float64Array.of(i, -i), y: Int32Array.of(i), weight: i / 2 };
      }
    }
    const found = await all(data.batched(rows(), { batchSize: 2 }));
    expect(found.map(({ x }) => [...x])).to.deep.equal([
      [0, -0, 1, -1],
      [2, -2, 3, -3],
      [4, -4],
    ]);
    expect(found[1]!.y).to.deep.equal(Int32Array.of(2, 3));
    expect(found[1]!.weight).to.deep.equal(Float32Array.of(1, 1.5));
    expect(await all(data.batched(rows(), { batchSize: 2, dropRemainder: true }))).to.have.length(2);
  });

  it('batched names the row that does not fit', async () => {
    const refused = async (rows: unknown[], message: string): Promise<void> => {
      const error: unknown = await all(data.batched(rows as never, { batchSize: 8 })).catch((e: unknown) => e);
      expect(error).to.be.instanceOf(TypeError);
      expect((error as Error).message).to.include(message);
    };
    await refused(
      [{ x: Float32Array.of(1) }, { x: Float32Array.of(1, 2) }],
      'x of row 1 must be a Float32Array of 1, as of row 0',
    );
    await refused([{ x: 1 }, {}], 'x of row 1 must be a number, as of row 0, got undefined');
    await refused([{ x: [1] }], 'x of row 0 must be a Float32Array');
    await refused([3], 'row 0 must be an object of arrays by name, got 3');
  });

  it('shuffled gives out all, each from among those that have been read', async () => {
    random.seed(2);
    const numbers = Array.from({ length: 200 }, (_, i) => i);
    for (const bufferSize of [1, 10, 1000]) {
      const found = await all(data.shuffled(numbers, { bufferSize }));
      expect([...found].sort((a, b) => a - b)).to.deep.equal(numbers);
      found.forEach((number, i) => expect(number).to.be.at.most(i + bufferSize));
      if (bufferSize > 1) expect(found).not.to.deep.equal(numbers);
    }
    const [first, second] = await Promise.all(
      [7, 7].map((seed) => all(data.shuffled(numbers, { bufferSize: 50, generator: new RandomGenerator(seed) }))),
    );
    expect(first).to.deep.equal(second);
  });

  it('prefetched reads ahead, but not farther than asked', async () => {
    let read = 0;
    async function* source() {
      for (let i = 0; i < 10; i++) {
        read++;
        yield i;
        await Promise.resolve();
      }
    }
    const found: number[] = [];
    for await (const one of data.prefetched(source(), 3)) {
      for (let i = 0; i < 20; i++) await Promise.resolve();
      expect(read).to.be.at.most(one + 5);
      if (one < 6) expect(read).to.be.at.least(one + 3);
      found.push(one);
    }
    expect(found).to.deep.equal([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('prefetched throws an error in its turn, and ends its source', async () => {
    let endings = 0;
    async function* source() {
      try {
        yield 1;
        yield 2;
        await Promise.resolve();
        throw new Error('no more');
      } finally {
        endings++;
      }
    }
    const found: number[] = [];
    const error: unknown = await (async () => {
      for await (const one of data.prefetched(source(), 4)) found.push(one);
    })().catch((e: unknown) => e);
    expect(found).to.deep.equal([1, 2]);
    expect((error as Error).message).to.equal('no more');
    expect(endings).to.equal(1);
    for await (const one of data.prefetched(source(), 1)) if (one === 1) break;
    expect(endings).to.equal(2);
  });

  it('refuse what they cannot use, with its name', () => {
    const y = Int32Array.of(1, 2, 3);
    expect(() => data.batches({ y }, { batchSize: 0 })).to.throw(
      RangeError,
      'batchSize must be a whole number above 0',
    );
    expect(() => data.batches({ y, x: new Float32Array(4) }, { batchSize: 1 })).to.throw(RangeError, 'columns.x has 4 elements: they are not 3 rows'); // prettier-ignore
    expect(() => data.batches({ y: [1] } as never, { batchSize: 1 })).to.throw(TypeError, 'columns.y must be a Float32Array'); // prettier-ignore
    expect(() => data.batches({}, { batchSize: 1 })).to.throw(RangeError, 'columns must have at least one array');
    expect(() => data.batches({ y }, { batchSize: 1, shuffel: true } as never)).to.throw(TypeError, 'shuffle');
    expect(() => data.batched(3 as never, { batchSize: 1 })).to.throw(TypeError, 'source must be an iterable');
    expect(() => data.shuffled([], { bufferSize: 0 })).to.throw(RangeError, 'bufferSize');
    expect(() => data.prefetched([], 0)).to.throw(RangeError, 'ahead must be a whole number above 0');
  });
});
