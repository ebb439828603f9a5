import { expect } from 'chai';
import fc from 'fast-check';
import { models, trainAlone } from '../support/models';
import { scenarios, trainedAlone } from '../support/scenarios';
import { Team } from '../support/together';

const sizes = [1, 2, 3, 4];

describe('a training on several ranks', function () {
  this.timeout(120_000);
  const teams = new Map<number, Team>();
  before(() => sizes.forEach((size) => teams.set(size, new Team(size))));
  after(() => Promise.all([...teams.values()].map((team) => team.end())));

  for (const size of sizes) {
    for (const name of Object.keys(models)) {
      it(`has the bytes of one process that averages the same batches (${name}, ${size})`, async () => {
        const expected = trainAlone(name, 8, size);
        for (const rank of await teams.get(size)!.results('trainTogether', { model: name, steps: 8 })) {
          expect(rank).to.deep.equal(expected);
        }
      });
    }

    it(`has these bytes whatever the batches have for which variables (${size})`, async () => {
      await fc.assert(
        fc.asyncProperty(scenarios(size), async (scenario) => {
          const expected = trainedAlone(scenario);
          for (const rank of await teams.get(size)!.results('scenario', scenario)) {
            expect(rank).to.deep.equal(expected);
          }
        }),
        { numRuns: 60 },
      );
    });
  }
});
