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
      Object.entries(ranges).map(([name, [low, high]]): [string, fc.Arbitrary<number>] => {
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
  const arrays = Object.keys(slots).map((slot): [string, number[]] => [slot, [...optimizer.getSlot(w, slot)!.data]]);
  return Object.fromEntries([['w', [...w.data]], ...arrays]);
}

/** The gradient written out, rows with the same index summed in their order and in the variable's dtype. */
function denseGradient(gradient: Gradient, { columns, initial }: Given): { g: number[]; touched: Set<number> } {
  const g = initial.map(() => 0);
  const touched = new Set<number>();
  const round = gradient.dtype === 'float32' ? Math.fround : (x: number) => x;
  const values = gradient instanceof IndexedSlices ? gradient.values.data : gradient.data;
  values.forEach((value, k) => {
    const i =
      gradient instanceof IndexedSlices ? gradient.indices[Math.floor(k / columns)]! * columns + (k % columns) : k;
    g[i] = round(g[i]! + value);
    touched.add(i);
  });
  return { g, touched };
}

function check(optimizerCase: OptimizerCase, given: Given, dtype: DType): void {
  const hyper = optimizerCase.name.includes('power') ? { ...given.hyper, learningRatePower: -0.3 } : given.hyper;
  const { optimizer, globalStep } = optimizerCase.create(given.hyper);
  const { condition } = optimizerCase;
  const reference: Reference = references[optimizerCase.rule];
  const w = variable(Float64Array.from(given.initial), { shape: [given.rows, given.columns], dtype });
  optimizer.createSlots([w]);
  // float64: sums of powers of the betas cost some bits where 1 - beta^t is small
  const ulps = dtype === 'float32' ? 8 * 2 ** -24 : 256 * 2 ** -53;
  given.gradients.forEach((gradientGiven, i) => {
    const gradient = toGradient(gradientGiven, given, dtype);
    const before = stateOf(optimizer, w, reference);
    const { g, touched } = denseGradient(gradient, given);
    const after = reference.step(before, g, { learningRatePower: -0.5, ...hyper } as Hyper, i + 1);
    optimizer.applyGradients([[gradient, w]], globalStep && { globalStep });
    for (const [name, values] of Object.entries(stateOf(optimizer, w, reference))) {
      values.forEach((value, k) => {
        const should = (optimizerCase.allRows || touched.has(k) ? after : before)[name]![k]!;
        const size = Math.abs(before[name]![k]!) + Math.abs(should) + Math.abs(g[k]!);
        // w is of the order of 1, and so are the terms of it that cancel
        const floor = name === 'w' || condition > 1 ? 1 : 1e-6;
        const allowed = ulps * condition * Math.max(size, floor);
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
    const tested = optimizerCases.map(({ rule }): string => rule);
    tested.push('tfjsAdagrad', 'tfjsAdadelta'); // by test/tfjs/formulas.test.ts
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
