import fc from 'fast-check';
import { GradientAccumulator } from 'gradstep';
import { optimizers, Training, type Has, type Scenario } from './batches';

/** The same batches here, one after the other. */
export function trainedAlone(scenario: Scenario): object {
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

/** Trainings on so many ranks. */
export const scenarios = (size: number): fc.Arbitrary<Scenario> =>
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
