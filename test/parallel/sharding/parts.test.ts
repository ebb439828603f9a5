import { expect } from 'chai';
import fc from 'fast-check';
import { divided, type Divisible } from '../../../lib/parallel/sharding/partition';

const block = 2 ** 14;

const array: fc.Arbitrary<Divisible> = fc.record({
  size: fc.oneof(fc.nat(100), fc.nat(200_000), fc.constantFrom(block, 2 * block, 0)),
  bytesPerElement: fc.constantFrom(4, 8),
});
const arrays = fc.array(array, { maxLength: 8 });
const bytesOf = (list: readonly Divisible[]): number =>
  list.reduce((sum, { size, bytesPerElement }) => sum + size * bytesPerElement, 0);

describe('variables that are divided by ranks', () => {
  it('have ranges that follow each other, from the first element to the last', () => {
    fc.assert(
      fc.property(arrays, fc.integer({ min: 1, max: 9 }), fc.constantFrom(block, Infinity), (list, ranks, cut) => {
        divided(list, ranks, cut).forEach((ranges, i) => {
          expect(ranges.length).to.equal(ranks);
          expect(ranges[0]![0]).to.equal(0);
          expect(ranges.at(-1)![1]).to.equal(list[i]!.size);
          for (let rank = 1; rank < ranks; rank++) expect(ranges[rank]![0]).to.equal(ranges[rank - 1]![1]);
        });
      }),
    );
  });

  it('are cut where blocks start, and a rank has a block more than its share at most', () => {
    fc.assert(
      fc.property(arrays, fc.integer({ min: 1, max: 9 }), (list, ranks) => {
        const all = divided(list, ranks, block);
        for (let rank = 0; rank < ranks; rank++) {
          const own = all.map((ranges) => ranges[rank]!);
          own.forEach(([begin, end], i) => {
            expect(begin % block === 0 || begin === list[i]!.size).to.equal(true);
            expect(end).to.be.at.least(begin);
          });
          const bytes = bytesOf(own.map(([begin, end], i) => ({ ...list[i]!, size: end - begin })));
          expect(bytes).to.be.at.most(bytesOf(list) / ranks + 8 * block);
        }
      }),
    );
  });

  it('go to ranks in their order: none has something of an array before one that an earlier rank has a part of', () => {
    fc.assert(
      fc.property(arrays, fc.integer({ min: 1, max: 9 }), fc.constantFrom(block, Infinity), (list, ranks, cut) => {
        const owners = divided(list, ranks, cut).flatMap((ranges) => {
          return ranges.flatMap(([begin, end], rank) => (begin < end ? [rank] : []));
        });
        expect(owners).to.deep.equal([...owners].sort((a, b) => a - b));
      }),
    );
  });

  it('are left whole for rules that look at all of a variable', () => {
    fc.assert(
      fc.property(arrays, fc.integer({ min: 1, max: 9 }), (list, ranks) => {
        divided(list, ranks, Infinity).forEach((ranges, i) => {
          expect(ranges.filter(([begin, end]) => end - begin === list[i]!.size && end > begin).length).to.equal(
            list[i]!.size > 0 ? 1 : 0,
          );
        });
      }),
    );
  });
});
