import fc from 'fast-check';
import { stateOf, trainAlone } from '../support/sharding';
import { expectParts } from '../support/sharding-expect';
import type { RankState } from '../support/sharding-programs';
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
});
