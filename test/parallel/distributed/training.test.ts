import { expect } from 'chai';
import fc from 'fast-check';
import { GradientAccumulator } from 'gradstep';
import { optimizers, Training, type Has, type Scenario } from '../support/batches';
import { models, trainAlone } from '../support/models';
import { Team } from '../support/together';

const sizes = [1, 2, 3, 4];

/** The same batches here, one after the other. */
function alone(scenario: Scenario): object {
  const training = new Training(scenario, (optimizer) => optimizer);
  scenario.steps.forEach((batches, step) => {
    const accumulator = new GradientAccumulator();
    batches.forEach((_, batch) => {
      const loss = () => training.loss(step, batch);
      accumulator.add(training.optimizer.computeGradients(loss, { varList: training.variables }));
    });
    training.apply(accumulator.take());
  });
  return training.state;
}

const shape = fc.oneof(
  fc.constant([]),
  fc.tuple(fc.integer({ min: 1, max: 40 })),
  fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 40 })),
);
const has = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Has>('all') },
  { weight: 1, arbitrary: fc.constant<Has>('rows') },
  { weight: 1, arbitrary: fc.constant<Has>('nothing') },
);

const scenarios = (size: number): fc.Arbitrary<Scenario> =>
  fc
    .array(fc.record({ dtype: fc.constantFrom('float32', 'float64'), shape }), { minLength: 1, maxLength: 5 })
    .chain((variables): fc.Arbitrary<Scenario> =>
      fc.record({
        seed: fc.nat(10_000),
        variables: fc.constant(variables as Scenario['variables']),
        optimizer: fc.constantFrom(...(Object.keys(optimizers) as (keyof typeof optimizers)[])),
        fusionBytes: fc.constantFrom(0, 64, 200, 2 ** 26),
        clips: fc.boolean(),
        steps: fc.array(
          fc.tuple(...Array.from({ length: size }, () => fc.tuple(...variables.map((_, i) => (i === 0 ? some : has))))),
          { minLength: 1, maxLength: 5 },
        ),
      }),
    );
// A batch that has nothing at all is none that an accumulator takes.
const some = fc.constantFrom<Has>('all', 'all', 'rows');

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
          const expected = alone(scenario);
          for (const rank of await teams.get(size)!.results('scenario', scenario)) {
            expect(rank).to.deep.equal(expected);
          }
        }),
        { numRuns: 60 },
      );
    });
  }
});
