import { expect } from 'chai';
import fc from 'fast-check';
import { stateOf, trainAlone } from '../support/sharding';
import { withAllGradients, type CompiledOrder } from '../support/sharding-compiled';
import { expectParts } from '../support/sharding-expect';
import type { RankState } from '../support/sharding-programs';
import { results } from '../support/sharding-ranks';
import { scenario } from '../support/sharding-scenarios';

const order: fc.Arbitrary<CompiledOrder> = fc.record({
  scenario: scenario.map(withAllGradients),
  fusionBytes: fc.constantFrom(0, 2 ** 12, 2 ** 26),
  isAsync: fc.boolean(),
});

describe('a compiled step whose slots are divided by ranks', function () {
  this.timeout(120_000);

  for (const ranks of [1, 2, 3, 4]) {
    it(`is the step that one process makes, to the last bit (${ranks})`, async () => {
      const orders = fc.sample(order, { numRuns: 40, seed: 17 + ranks });
      const all = await results<RankState[]>('trainCompiled', ranks, orders);
      orders.forEach(({ scenario: one }, i) => {
        expectParts(
          stateOf(trainAlone(one, ranks)),
          all.map((states) => states[i]!),
        );
      });
    });
  }

  it('is the same inside of what can be around it', async () => {
    for (const wrong of await results<string[]>('compiledSurroundings', 3, undefined)) expect(wrong).to.deep.equal([]);
  });

  it('takes turns with steps that are not compiled, and goes on from the state of others', async () => {
    for (const isSame of await results<boolean>('compiledInTurn', 3, undefined)) expect(isSame).to.equal(true);
  });
});
