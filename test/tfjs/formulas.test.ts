import { expect } from 'chai';
import fc from 'fast-check';
import * as tfjs from 'gradstep/tfjs';
import { createGlobalStep, variable } from 'gradstep';
import { kinds, type KindCase } from './kinds';
import { describeOnBackends, type Optimizer, type Tf } from './tf';

// Each formula is TensorFlow.js's own, for those that it has, and otherwise that of gradstep's class, to the last bit.

interface Training {
  readonly options: Record<string, number>;
  /** Two variables, so that their states could be mixed up. */
  readonly start: readonly [number[], number[]];
  readonly gradients: readonly (readonly [number[], number[]])[];
}

// Multiples of 1/64, none of them tiny: what is compared is the formula, not who rounds how when terms cancel.
const values = (length: number): fc.Arbitrary<number[]> =>
  fc.array(
    fc.integer({ min: -256, max: 256 }).map((n) => n / 64),
    { minLength: length, maxLength: length },
  );

const training = ({ ranges }: KindCase): fc.Arbitrary<Training> =>
  fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 5 })).chain(([n, m]) =>
    fc.record({
      options: fc.record(
        Object.fromEntries(
          Object.entries(ranges).map(([name, [min, max]]) => [name, fc.double({ min, max, noNaN: true })]),
        ),
      ),
      start: fc.tuple(values(n), values(m)),
      gradients: fc.array(fc.tuple(values(n), values(m)), { minLength: 1, maxLength: 6 }),
    }),
  );

function train(tf: Tf, optimizer: Optimizer, { start, gradients }: Training): number[][] {
  const variables = start.map((list) => tf.tidy(() => tf.variable(tf.tensor(list))));
  for (const pair of gradients) {
    tf.tidy(() => optimizer.applyGradients(Object.fromEntries(pair.map((g, i) => [variables[i]!.name, tf.tensor(g)]))));
  }
  const result = variables.map((v) => [...v.dataSync()]);
  tf.dispose(variables);
  optimizer.dispose();
  return result;
}

function trainCore({ core, name }: KindCase, { options, start, gradients }: Training): number[][] {
  const globalStep = name === 'adagradDA' ? createGlobalStep() : undefined;
  const optimizer = core!({ ...options, ...(globalStep && { globalStep }) });
  const variables = start.map((list) => variable(Float32Array.from(list)));
  for (const pair of gradients) {
    optimizer.applyGradients(
      pair.map((g, i) => [Float32Array.from(g), variables[i]!] as const),
      ...(globalStep ? [{ globalStep }] : []),
    );
  }
  return variables.map((v) => [...v.data]);
}

function expectClose(values_: number[][], expected: number[][], tolerance: number): void {
  values_.forEach((list, i) =>
    list.forEach((value, j) =>
      expect(value, `variable ${i}, element ${j}`).to.be.closeTo(
        expected[i]![j]!,
        tolerance * (1 + Math.abs(expected[i]![j]!)),
      ),
    ),
  );
}

describeOnBackends('the formula of gradstep/tfjs', (tf) => {
  const numRuns = 25;
  for (const each of kinds) {
    if (each.theirs) {
      it(`is TensorFlow.js's: ${each.name}`, () => {
        const property = fc.property(training(each), (run) => {
          const expected = train(tf, each.theirs!(tf, run.options), run);
          expectClose(train(tf, each.create(run.options), run), expected, 2e-5);
        });
        fc.assert(property, { numRuns });
      });
    }
    if (each.core) {
      it(`is that of gradstep's class, to the last bit: ${each.name}`, () => {
        const property = fc.property(training(each), (run) => {
          expect(train(tf, each.create(run.options), run)).to.deep.equal(trainCore(each, run));
        });
        fc.assert(property, { numRuns });
      });
    }
  }

  it('has the defaults of TensorFlow.js', () => {
    const run: Training = { options: {}, start: [[1, -2], [0.5]], gradients: [0.5, -1, 2].map((g) => [[g, 1], [g]]) };
    for (const [name, make, theirs] of [
      ['sgd', tfjs.sgd({ learningRate: 0.1 }), tf.train.sgd!(0.1)],
      ['momentum', tfjs.momentum({ learningRate: 0.1, momentum: 0.9 }), tf.train.momentum!(0.1, 0.9)],
      ['adagrad', tfjs.adagrad({ learningRate: 0.1 }), tf.train.adagrad!(0.1)],
      ['adadelta', tfjs.adadelta(), tf.train.adadelta!()],
      ['adam', tfjs.adam(), tf.train.adam!()],
      ['adamax', tfjs.adamax(), tf.train.adamax!()],
      ['rmsprop', tfjs.rmsprop({ learningRate: 0.1 }), tf.train.rmsprop!(0.1)],
    ] as const) {
      const optimizer = make as unknown as Optimizer;
      const [ours, expected] = [optimizer.getConfig(), theirs.getConfig()];
      for (const [option, value] of Object.entries(expected))
        expect(ours[option] ?? false, `${name}.${option}`).to.equal(value);
      expectClose(train(tf, optimizer, run), train(tf, theirs, run), 2e-6);
    }
  });

  it('of centered RMSProp is w − a with a = μ a + lr g / √(r − c² + ε): epsilon is added', () => {
    const centered = kinds.find(({ name }) => name === 'rmsprop, centered')!;
    const property = fc.property(training(centered), (run) => {
      const { learningRate, decay, momentum, epsilon } = run.options as Record<
        'learningRate' | 'decay' | 'momentum' | 'epsilon',
        number
      >;
      const expected = run.start.map((w, i) =>
        w.map((value, j) => {
          let [r, c, a] = [0, 0, 0];
          for (const pair of run.gradients) {
            const g = pair[i]![j]!;
            r = decay * r + (1 - decay) * g ** 2;
            c = decay * c + (1 - decay) * g;
            a = momentum * a + (learningRate * g) / Math.sqrt(r - c ** 2 + epsilon);
            value -= a;
          }
          return value;
        }),
      );
      expectClose(train(tf, centered.create(run.options), run), expected, 64 * 2e-5);
    });
    fc.assert(property, { numRuns });
  });

  it("of centered RMSProp has a value where TensorFlow.js's, which subtracts epsilon, has NaN", () => {
    const small: Training = { options: {}, start: [[1], [1]], gradients: [[[1e-3], [1e-4]]] };
    const theirs = train(tf, tf.train.rmsprop!(0.1, 0.9, 0, 1e-7, true), small);
    const ours = train(tf, tfjs.rmsprop({ learningRate: 0.1, centered: true }) as unknown as Optimizer, small);
    expect(theirs.flat().every(Number.isNaN)).to.equal(true);
    const step = (g: number): number => 1 - (0.1 * g) / Math.sqrt(0.1 * g ** 2 - (0.1 * g) ** 2 + 1e-7);
    expectClose(ours, [[step(1e-3)], [step(1e-4)]], 1e-5);
  });

  it("of centered RMSProp is TensorFlow.js's where the variance is large beside epsilon", () => {
    const run: Training = { options: {}, start: [[1], [1]], gradients: [1, -1, 0.5, 2].map((g) => [[g], [-2 * g]]) };
    const theirs = train(tf, tf.train.rmsprop!(0.01, 0.9, 0.5, 1e-7, true), run);
    const options = { learningRate: 0.01, momentum: 0.5, centered: true };
    expectClose(train(tf, tfjs.rmsprop(options) as unknown as Optimizer, run), theirs, 1e-5);
  });

  it('refuses semantics that there are not', () => {
    expect(() => tfjs.adam({ semantics: 'keras' as never })).to.throw(RangeError, /'tfjs' or 'tf1'.*keras/);
  });
});
