import { expect } from 'chai';
import fc from 'fast-check';
import { stateOf, trainAlone, type Scenario } from '../support/sharding';
import type { Order, RankState } from '../support/sharding-programs';
import { results } from '../support/sharding-ranks';
import { makers } from '../support/takeover';

const block = 2 ** 14;

/** Sizes about where blocks start. */
const size = fc.oneof(
  fc.nat(40),
  fc.integer({ min: -2, max: 2 }).chain((d) => fc.constantFrom(block, 2 * block, 3 * block).map((n) => n + d)),
);
const shape = fc.oneof(
  { weight: 3, arbitrary: size.map((n) => [n]) },
  { weight: 3, arbitrary: fc.tuple(fc.integer({ min: 1, max: 700 }), fc.integer({ min: 1, max: 90 })).map((s) => [...s]) },
  { weight: 1, arbitrary: fc.constantFrom([], [0, 3], [5, 3, 7]) },
);
const clip = fc.constantFrom(undefined, { globalNorm: 1.5 }, { value: 0.3 }, { norm: 2 }, { averageNorm: 0.01 });
const names = Object.keys(makers).filter((name) => !name.includes('loss scale'));

const scenario: fc.Arbitrary<Scenario> = fc.record({
  maker: fc.constantFrom(...names),
  seed: fc.nat(10_000),
  variables: fc.array(
    fc.record({
      shape: shape as fc.Arbitrary<number[]>,
      dtype: fc.constantFrom('float32', 'float32', 'float64'),
      gradients: fc.constantFrom('dense', 'dense', 'rows', 'some'),
    }),
    { minLength: 1, maxLength: 4 },
  ),
  clip: clip as fc.Arbitrary<Scenario['clip'] & object>,
  steps: fc.constantFrom(1, 2, 3),
});
const order: fc.Arbitrary<Order> = fc.record({
  // A step needs a gradient.
  scenario: scenario.map((one) => ({ ...one, variables: [...one.variables, { shape: [3], dtype: 'float32', gradients: 'dense' } as const] })),
  way: fc.constantFrom('minimize', 'minimize', 'compute', 'average'),
  fusionBytes: fc.constantFrom(2 ** 12, 2 ** 17, 2 ** 26),
});

export function expectParts(whole: Record<string, Uint8Array>, ranks: readonly RankState[], parted: boolean): void {
  for (const state of ranks) expect(Object.keys(state).sort()).to.deep.equal(Object.keys(whole).sort());
  for (const [key, bytes] of Object.entries(whole)) {
    let end = 0;
    for (const state of ranks) {
      const { begin, bytes: own } = state[key]!;
      expect(Buffer.compare(own, bytes.subarray(begin, begin + own.length)), key).to.equal(0);
      if (begin === end) end += own.length;
    }
    if (parted) expect(end, key).to.equal(bytes.length);
  }
}

describe('an optimizer whose slots are divided by ranks', function () {
  this.timeout(120_000);

  for (const ranks of [1, 2, 3, 4]) {
    it(`makes the steps that one process makes, to the last bit (${ranks})`, async () => {
      const orders = fc.sample(order, { numRuns: 25, seed: 7 + ranks });
      const all = await results<RankState[]>('trainAll', ranks, orders);
      orders.forEach(({ scenario }, i) => {
        const whole = stateOf(trainAlone(scenario, ranks));
        expectParts(whole, all.map((states) => states[i]!), true);
      });
    });
  }
});
