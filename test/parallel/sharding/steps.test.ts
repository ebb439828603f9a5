import { expect } from 'chai';
import fc from 'fast-check';
import { globalNorm } from 'gradstep';
import { stateOf, trainAlone } from '../support/sharding';
import { expectParts } from '../support/sharding-expect';
import { listsOf, type RankState } from '../support/sharding-programs';
import { results } from '../support/sharding-ranks';
import { order } from '../support/sharding-scenarios';

describe('an optimizer whose slots are divided by ranks', function () {
  this.timeout(120_000);

  for (const ranks of [1, 2, 3, 4]) {
    it(`makes the steps that one process makes, to the last bit (${ranks})`, async () => {
      const orders = fc.sample(order, { numRuns: 40, seed: 7 + ranks });
      const all = await results<RankState[]>('trainAll', ranks, orders);
      orders.forEach(({ scenario }, i) => {
        expectParts(
          stateOf(trainAlone(scenario, ranks)),
          all.map((states) => states[i]!),
        );
      });
    });
  }

  it('has the norm of one process, to the last bit, whatever is where', async () => {
    const size = fc.oneof(fc.nat(50_000), fc.nat(20), fc.constantFrom(2 ** 14, 2 ** 15, 0));
    const sizes = fc.sample(fc.array(size, { minLength: 1, maxLength: 9 }), { numRuns: 60, seed: 1 });
    const expected = listsOf(sizes).map((list) => globalNorm(list));
    for (const ranks of [1, 3, 4]) {
      for (const norms of await results<number[]>('norms', ranks, { sizes })) expect(norms).to.deep.equal(expected);
    }
  });
});
