import fc from 'fast-check';
import type { Scenario } from './sharding';
import type { Order } from './sharding-programs';
import { makers } from './takeover';

const block = 2 ** 14;

/** Sizes about where blocks start. */
const size = fc.oneof(
  fc.nat(40),
  fc.integer({ min: -2, max: 2 }).chain((d) => fc.constantFrom(block, 2 * block, 3 * block).map((n) => n + d)),
);
const shape: fc.Arbitrary<number[]> = fc.oneof(
  { weight: 3, arbitrary: size.map((n) => [n]) },
  { weight: 3, arbitrary: fc.tuple(fc.integer({ min: 1, max: 700 }), fc.integer({ min: 1, max: 90 })) },
  { weight: 1, arbitrary: fc.constantFrom<number[]>([], [0, 3], [5, 3, 7]) },
);
const clips = [{ globalNorm: 1.5 }, { value: 0.3 }, { norm: 2 }, { averageNorm: 0.01 }] as const;
const names = Object.keys(makers).filter((name) => !name.includes('loss scale'));

/** Models of some variables, with any optimizer. */
export const scenario: fc.Arbitrary<Scenario> = fc
  .record({
    maker: fc.constantFrom(...names),
    seed: fc.nat(10_000),
    variables: fc.array(
      fc.record({
        shape,
        dtype: fc.constantFrom('float32', 'float32', 'float64'),
        gradients: fc.constantFrom('dense', 'dense', 'rows', 'some'),
      }),
      { minLength: 1, maxLength: 4 },
    ),
    clip: fc.option(fc.constantFrom(...clips)),
    steps: fc.constantFrom(1, 2, 3),
  })
  .map(({ clip, variables, ...one }) => ({
    ...one,
    ...(clip !== null && { clip }),
    variables: [...variables, { shape: [3], dtype: 'float32', gradients: 'dense' }], // a step needs a gradient
  }));

export const order: fc.Arbitrary<Order> = fc.record({
  scenario,
  way: fc.constantFrom('minimize', 'minimize', 'given', 'compute', 'average'),
  fusionBytes: fc.constantFrom(2 ** 12, 2 ** 17, 2 ** 26),
});
