import { expect } from 'chai';
import fc from 'fast-check';
import { IndexedSlices, tensor, variable, type DType, type Gradient, type Optimizer, type Variable } from 'gradstep';
import { native } from '../../lib/native';
import { optimizerCases, type OptimizerCase } from '../support/optimizer-cases';
import { references, type Hyper, type Reference, type State } from '../support/reference';

interface GivenGradient {
  /** null for a dense gradient. */
  readonly indices: readonly number[] | null;
  readonly values: readonly number[];
}

interface Given {
  readonly rows: number;
  readonly columns: number;
  readonly hyper: Partial<Hyper>;
  readonly initial: readonly number[];
  readonly gradients: readonly GivenGradient[];
}

// Numbers of ordinary size, and zero: it is the steps between them that are compared, to the last bits.
const number = fc.oneof(
  { weight: 9, arbitrary: fc.integer({ min: 1000, max: 200000 }).map((n) => n / 1e5) },
  { weight: 9, arbitrary: fc.integer({ min: 1000, max: 200000 }).map((n) => -n / 1e5) },
  { weight: 1, arbitrary: fc.constant(0) },
);
const numbers = (length: number) => fc.array(number, { minLength: length, maxLength: length });

function gradientOf(rows: number, columns: number): fc.Arbitrary<GivenGradient> {
  const dense = numbers(rows * columns).map((values) => ({ indices: null, values }));
  const sparse = fc
    .array(fc.integer({ min: 0, max: rows - 1 }), { maxLength: 2 * rows })
    .chain((indices) => numbers(indices.length * columns).map((values) => ({ indices, values })));
  return fc.oneof(dense, sparse);
}

function givenFor({ ranges }: OptimizerCase): fc.Arbitrary<Given> {
  const hyper = fc.record(
    Object.fromEntries(
      Object.entries(ranges).map(([name, [low, high]]) => {
        return [name, fc.integer({ min: 0, max: 1000 }).map((n) => low + ((high - low) * n) / 1000)];
      }),
    ),
  );
  return fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 20 })).chain(([rows, columns]) =>
    fc.record({
      rows: fc.constant(rows),
      columns: fc.constant(columns),
      hyper,
      initial: numbers(rows * columns),
      gradients: fc.array(gradientOf(rows, columns), { minLength: 1, maxLength: 4 }),
    }),
  );
}

function toGradient({ indices, values }: GivenGradient, { rows, columns }: Given, dtype: DType): Gradient {
  const array = Float64Array.from(values);
  if (indices === null) return tensor(array, [rows, columns], dtype);
  return new IndexedSlices(tensor(array, [indices.length, columns], dtype), indices);
}

function stateOf(optimizer: Optimizer, w: Variable, { slots }: Reference): State {
  const arrays = Object.keys(slots).map((slot) => [slot, [...optimizer.getSlot(w, slot)!.data]]);
  return { w: [...w.data], ...Object.fromEntries(arrays) };
}

/** What the step ought to make of a state, from the gradient in the variable's own dtype. */
function expectedState(
  { rule, allRows }: OptimizerCase,
  state: State,
  given: Given,
  gradient: Gradient,
  t: number,
): { state: State; magnitude: readonly number[] } {
  const { columns, hyper } = given;
  const g = given.initial.map(() => 0);
  const magnitude = given.initial.map(() => 0); // of the terms whose sum g is
  const touched = new Set<number>();
  if (gradient instanceof IndexedSlices) {
    gradient.indices.forEach((row, k) => {
      for (let j = 0; j < columns; j++) {
        const value = gradient.values.data[k * columns + j]!;
        g[row * columns + j]! += value;
        magnitude[row * columns + j]! += Math.abs(value);
        touched.add(row * columns + j);
      }
    });
  } else {
    gradient.data.forEach((value, i) => {
      g[i] = value;
      magnitude[i] = Math.abs(value);
      touched.add(i);
    });
  }
  const after = references[rule].step(state, g, { learningRatePower: -0.5, ...hyper } as Hyper, t);
  const moved = (i: number) => allRows || touched.has(i);
  return {
    state: Object.fromEntries(
      Object.entries(after).map(([name, values]) => [name, values.map((x, i) => (moved(i) ? x : state[name]![i]!))]),
    ),
    magnitude,
  };
}

function check(optimizerCase: OptimizerCase, given: Given, dtype: DType): void {
  const hyper = optimizerCase.name.includes('power') ? { ...given.hyper, learningRatePower: -0.3 } : given.hyper;
  const { optimizer, globalStep } = optimizerCase.create(given.hyper);
  const reference: Reference = references[optimizerCase.rule];
  const w = variable(Float64Array.from(given.initial), { shape: [given.rows, given.columns], dtype });
  optimizer.createSlots([w]);
  // float64: sums of powers of the betas cost some bits where 1 - beta^t is small
  const ulps = dtype === 'float32' ? 8 * 2 ** -24 : 256 * 2 ** -53;
  given.gradients.forEach((gradientGiven, i) => {
    const gradient = toGradient(gradientGiven, given, dtype);
    const before = stateOf(optimizer, w, reference);
    const expected = expectedState(optimizerCase, before, { ...given, hyper }, gradient, i + 1);
    optimizer.applyGradients([[gradient, w]], globalStep && { globalStep });
    for (const [name, values] of Object.entries(stateOf(optimizer, w, reference))) {
      values.forEach((value, k) => {
        const should = expected.state[name]![k]!;
        const size = Math.abs(before[name]![k]!) + Math.abs(should) + expected.magnitude[k]!;
        const floor = name === 'w' ? 1 : 1e-6; // terms of w that cancel are of the order of 1
        const allowed = ulps * optimizerCase.condition * Math.max(size, floor);
        if (Math.abs(value - should) <= allowed) return;
        expect.fail(`${name}[${k}] is ${value} after step ${i + 1}, the paper says ${should}`);
      });
    }
  });
}

describe('every rule agrees with its paper, step by step, for dense and sparse gradients in turn', () => {
  for (const optimizerCase of optimizerCases) {
    for (const dtype of ['float32', 'float64'] as const) {
      it(`${optimizerCase.name}, ${dtype}`, () => {
        fc.assert(
          fc.property(givenFor(optimizerCase), (given) => check(optimizerCase, given, dtype)),
          { numRuns: 60 },
        );
      });
    }
  }

  it('and there is no rule without a reference', () => {
    expect(native.rules.map(({ name }) => name).sort()).to.deep.equal(Object.keys(references).sort());
    const tested = optimizerCases.map(({ rule }) => rule);
    expect([...new Set(tested)].sort()).to.deep.equal(Object.keys(references).sort());
  });

  it('slots start from what the paper or TensorFlow says', () => {
    for (const { name, rule, create } of optimizerCases) {
      const starts = { initialAccumulatorValue: 0.25, initialGradientSquaredAccumulatorValue: 0.25 };
      const needed = Object.values(references[rule].slots).filter((slot) => typeof slot === 'string');
      const hyper = { learningRate: 0.1, momentum: 0.5, ...starts };
      const own = [
        'learningRate',
        ...(rule === 'momentum' || rule === 'nesterovMomentum' ? ['momentum'] : []),
        ...needed,
      ];
      const { optimizer } = create(Object.fromEntries(Object.entries(hyper).filter(([key]) => own.includes(key))));
      const w = variable([1, 2]);
      optimizer.createSlots([w]);
      const expected = Object.entries(references[rule].slots as Record<string, number | string>);
      expect(optimizer.getSlotNames(), name).to.deep.equal(expected.map(([slot]) => slot).sort());
      for (const [slot, initial] of expected) {
        const value = typeof initial === 'string' ? 0.25 : initial;
        expect([...optimizer.getSlot(w, slot)!.data], `${name}, ${slot}`).to.deep.equal([value, value]);
      }
    }
  });
});
