import { expect } from 'chai';
import fc from 'fast-check';
import * as gradstep from 'gradstep';
import {
  AdagradOptimizer,
  AdamOptimizer,
  assignMovingAverage,
  collectState,
  ConditionalAccumulator,
  copyState,
  createGlobalStep,
  DynamicLossScale,
  ExponentialMovingAverage,
  FixedLossScale,
  GradientAccumulator,
  GradientDescentOptimizer,
  IndexedSlices,
  MixedPrecisionLossScaleOptimizer,
  MomentumOptimizer,
  movingAverageState,
  NadamOptimizer,
  noisyLinearCosineDecay,
  ops,
  prefixed,
  RandomGenerator,
  restoreState,
  SparseConditionalAccumulator,
  SyncReplicasOptimizer,
  tensor,
  variable,
  Variable,
  weightedMovingAverage,
  type GlobalStep,
  type Optimizer,
  type StateEntry,
  type Stateful,
} from 'gradstep';
import { middling, optimizerCases } from './support/optimizer-cases';

/** A run: what has state, what state may be of, one step of it, and what else can be seen of it. */
interface Run {
  readonly parts: readonly Stateful[];
  readonly variables?: readonly Variable[];
  readonly step: (i: number) => unknown;
}

/** Entries so that they can be compared: memory as bytes. */
const shown = (entries: readonly StateEntry[]) =>
  entries.map(({ key, dtype, shape, memory }) => {
    return { key, dtype, shape: [...shape], bytes: [...new Uint8Array(memory.slice().buffer)] };
  });

/** The same number of elements of another dtype. */
const otherKind = ({ dtype, memory: { length } }: StateEntry): Partial<StateEntry> =>
  dtype === 'int32'
    ? { dtype: 'int64', memory: new BigInt64Array(length) }
    : { dtype: 'int32', memory: new Int32Array(length) };

const stateOf = ({ parts }: Run) => shown(collectState(parts));

/** Numbers that look like nothing, the same for each i. */
const noise = (i: number, length: number): Float32Array =>
  Float32Array.from({ length }, (_, k) => Math.sin(12.9898 * (i + 1) + 78.233 * (k + 1)) * 2);

/** What a step gives, as text that has every bit. */
const seen = (value: unknown): string => {
  if (value instanceof Variable || value instanceof gradstep.Tensor)
    return `[${(value as gradstep.Tensor).data.join()}]`;
  if (value instanceof IndexedSlices) return `${value.indices.join()}: ${seen(value.values)}`;
  return Array.isArray(value) ? (value as unknown[]).map(seen).join('; ') : String(value);
};

/** Runs by their names. */
function named(list: readonly (readonly (string | (() => Run))[])[]): Record<string, () => Run> {
  return Object.fromEntries(list as [string, () => Run][]);
}

const runs: Readonly<Record<string, () => Run>> = {
  Variable: () => {
    const w = variable([1, 2], { name: 'w' });
    return { parts: [w], step: (i) => w.assign(noise(i, 2).map((x, k) => x + w.data[k]!)) };
  },
  GlobalStep: () => {
    const globalStep = createGlobalStep();
    return { parts: [globalStep], step: () => globalStep.increment() };
  },
  'ExponentialMovingAverage, of variables and names': () => averagesOf(false),
  'ExponentialMovingAverage, debiased': () => averagesOf(true),
  assignMovingAverage: () => {
    const w = variable([1, 2], { name: 'w' });
    return { parts: [w, movingAverageState(w)], step: (i) => assignMovingAverage(w, noise(i, 2), 0.9) };
  },
  weightedMovingAverage: () => {
    let at = 0;
    const average = weightedMovingAverage(
      () => tensor(noise(at, 3)),
      0.9,
      () => tensor(noise(at + 100, 1).map(Math.abs)),
    );
    return {
      parts: [average],
      step: (i) => {
        at = i;
        return average();
      },
    };
  },
  ...named(
    (['MEAN', 'SUM'] as const).flatMap((reductionType) => [
      [
        `ConditionalAccumulator, ${reductionType}`,
        () => {
          const accumulator = new ConditionalAccumulator('float32', { reductionType });
          return {
            parts: [accumulator],
            step: (i: number) => [accumulator.applyGrad(tensor(noise(i, 3)), i >> 1), accumulator.takeGrad(3)],
          };
        },
      ],
      [
        `SparseConditionalAccumulator, ${reductionType}`,
        () => {
          const accumulator = new SparseConditionalAccumulator('float32', { reductionType });
          return {
            parts: [accumulator],
            step: (i: number) => [accumulator.applyGrad(rowsAt(i), i), accumulator.takeGrad(3)],
          };
        },
      ],
    ]),
  ),
  GradientAccumulator: () => {
    const [dense, rows, both, none] = ['dense', 'rows', 'both', 'none'].map((name) => {
      return variable(new Float32Array(8), { shape: [4, 2], name });
    }) as [Variable, Variable, Variable, Variable];
    const accumulator = new GradientAccumulator();
    return {
      parts: [accumulator],
      variables: [none, both, rows, dense],
      step: (i) => {
        accumulator.add([
          [noise(i, 8), dense],
          [rowsAt(i), rows],
          [i % 2 === 0 ? rowsAt(i) : noise(i, 8), both],
          [null, none],
        ]);
        if (accumulator.count < 3) return null;
        return accumulator.take().map(([gradient, { name }]) => [name, gradient]);
      },
    };
  },
  'GradientAccumulator, with losses': () => {
    const w = variable([1, 2], { name: 'w' });
    const accumulator = new GradientAccumulator();
    const optimizer = new GradientDescentOptimizer({ learningRate: 0.1 });
    return {
      parts: [w, accumulator],
      step: (i) => {
        accumulator.add(optimizer.computeGradients(() => ops.reduceSum(ops.square(ops.sub(w, tensor(noise(i, 2)))))));
        if (accumulator.count < 3) return null;
        const taken = accumulator.take();
        optimizer.applyGradients(taken);
        return taken.loss;
      },
    };
  },
  DynamicLossScale: () => {
    const scale = new DynamicLossScale({ incrementPeriod: 2 });
    return { parts: [scale], step: (i) => scale.update([i % 5 === 4 ? Float32Array.of(NaN) : noise(i, 2)]) };
  },
  RandomGenerator: () => {
    const generator = new RandomGenerator();
    return {
      parts: [generator],
      step: (i) => [
        generator.uniform([3]),
        generator.normal([i], { seed: i % 3 }),
        generator.bernoulli([5], 0.5, { seed: 1000 - i }),
        generator.permutation(4),
      ],
    };
  },
  'a RandomGenerator, with dropout': () => {
    const w = variable(noise(0, 8), { name: 'w' });
    const generator = new RandomGenerator(3);
    const optimizer = new MomentumOptimizer({ learningRate: 0.1, momentum: 0.9 });
    return {
      parts: [w, generator, optimizer],
      step: () => optimizer.minimize(() => ops.l2Loss(ops.dropout(w, { rate: 0.5, generator }))),
    };
  },
  FixedLossScale: () => {
    const scale = new FixedLossScale(4);
    return { parts: [scale], step: (i) => scale.update([noise(i, 2)]) };
  },
  MixedPrecisionLossScaleOptimizer: () => {
    const scale = new DynamicLossScale({ incrementPeriod: 2 });
    const run = trained(new MixedPrecisionLossScaleOptimizer(new AdamOptimizer(), scale));
    return { ...run, step: (i) => (i % 5 === 4 ? run.apply(new Float32Array(8).fill(Infinity)) : run.step(i)) };
  },
  ...named(
    [0, 1, 2].flatMap((numTokens) =>
      [2, 3].map((totalNumReplicas) => [
        `SyncReplicasOptimizer, ${numTokens} tokens for ${totalNumReplicas} replicas`,
        () => replicas(numTokens, totalNumReplicas),
      ]),
    ),
  ),
  'an optimizer with groups': () => {
    const [v, w] = [variable([1, 2], { name: 'v' }), variable([3], { name: 'w' })];
    const optimizer = new NadamOptimizer({ groups: [{ variables: [w], beta1: 0.5 }] });
    return {
      parts: [v, w, optimizer],
      step: (i) =>
        optimizer.applyGradients(
          i === 0
            ? [[noise(i, 2), v]]
            : [
                [noise(i, 2), v],
                [noise(i, 1), w],
              ],
        ),
    };
  },
  'two optimizers with prefixes': () => {
    const [v, w] = [variable([1, 2], { name: 'v' }), variable([3], { name: 'w' })];
    const [one, other] = [new AdamOptimizer(), new AdamOptimizer()];
    return {
      parts: [v, w, prefixed('one', one), prefixed('other', other)],
      step: (i) => [one.applyGradients([[noise(i, 2), v]]), other.applyGradients([[noise(i, 1), w]])],
    };
  },
};

function averagesOf(zeroDebias: boolean): Run {
  const w = variable([[1, 2]], { name: 'layer/w' });
  const averages = new ExponentialMovingAverage(0.9, { zeroDebias });
  return {
    parts: [w, averages],
    step: (i) => {
      w.assign(tensor(noise(i, 2), [1, 2]));
      averages.apply(i < 2 ? [w] : [w, ['loss', tensor(noise(i, 1), [])]]);
      return [averages.average(w), averages.average('loss')];
    },
  };
}

const rowsAt = (i: number): IndexedSlices =>
  new IndexedSlices(tensor(noise(i, 6), [3, 2]), [i % 4, (i + 2) % 4, i % 4], [4, 2]);

/** Steps with a dense gradient and a sparse one by turns. */
function trained(optimizer: Optimizer, globalStep: GlobalStep = createGlobalStep()) {
  const w = variable(noise(1000, 8), { shape: [4, 2], name: 'w' });
  const apply = (gradient: Float32Array | IndexedSlices) => optimizer.applyGradients([[gradient, w]], { globalStep });
  return {
    parts: [w, globalStep, optimizer],
    apply,
    step: (i: number) => apply(i % 2 === 0 ? noise(i, 8) : rowsAt(i)),
  };
}

function replicas(numTokens: number, totalNumReplicas: number): Run {
  const [w, rows] = [variable([1, 2], { name: 'w' }), variable(new Float32Array(8), { shape: [4, 2], name: 'rows' })];
  const globalStep = createGlobalStep();
  const inner = new AdamOptimizer();
  const optimizer = new SyncReplicasOptimizer(inner, { replicasToAggregate: 2, totalNumReplicas, numTokens });
  return {
    parts: [w, rows, globalStep, optimizer],
    step: (i) => {
      const all = Array.from({ length: totalNumReplicas }, (_, replica) => replica);
      const free = all.filter((replica) => !optimizer.isWaiting(replica));
      const replica = free[i % free.length]!;
      const isFresh = optimizer.applyGradients(
        [
          [noise(i, 2), w],
          [rowsAt(i), rows],
        ],
        { globalStep, replica },
      );
      return [isFresh, ...optimizer.tokens, ...all.map((one) => [optimizer.isWaiting(one), optimizer.localStep(one)])];
    },
  };
}

for (const optimizerCase of optimizerCases) {
  (runs as Record<string, () => Run>)[`${optimizerCase.name}, an optimizer`] = () => {
    const { optimizer, globalStep } = optimizerCase.create(middling(optimizerCase));
    return trained(optimizer, globalStep);
  };
}

describe('state', () => {
  describe('of a run that is resumed with it goes on byte for byte', () => {
    for (const [name, start] of Object.entries(runs)) {
      it(name, () => {
        const steps = 11;
        const straight = start();
        const states: StateEntry[][] = [];
        const results: string[] = [];
        for (let i = 0; i < steps; i++) {
          states.push(copyState(collectState(straight.parts)));
          results.push(seen(straight.step(i)));
        }
        const end = stateOf(straight);
        fc.assert(
          fc.property(
            fc.nat(steps - 1),
            // Steps that the other object has made before, and forgets.
            fc.nat(3),
            fc.boolean(),
            (at, before, adopt) => {
              const resumed = start();
              for (let i = 0; i < Math.min(before, at); i++) resumed.step(i);
              const entries = adopt ? shared(states[at]!) : states[at]!;
              restoreState(resumed.parts, entries, { variables: resumed.variables ?? [], adopt });
              expect(stateOf(resumed)).to.deep.equal(shown(states[at]!));
              for (let i = at; i < steps; i++) expect(seen(resumed.step(i)), `step ${i}`).to.equal(results[i]);
              expect(stateOf(resumed)).to.deep.equal(end);
            },
          ),
          { numRuns: 25 },
        );
      });
    }
  });

  it('is protocol of every class that the package exports and that keeps any', () => {
    // Neither a value, nor a function of values, nor one that only wraps what is here.
    const stateless = ['Tensor', 'IndexedSlices', 'GradientsAndVariables', 'StateSource'];
    const classes = Object.entries(gradstep).filter(([, value]) => {
      return typeof value === 'function' && /^class\b/.test(Function.prototype.toString.call(value));
    });
    expect(classes.length).to.be.greaterThan(25);
    for (const [name, Class] of classes) {
      if (stateless.includes(name)) continue;
      const { prototype } = Class as unknown as { prototype: Record<string, unknown> };
      for (const method of name === 'Optimizer' ? ['restore'] : ['state', 'planRestore', 'restore']) {
        expect(prototype[method], name).to.be.a('function'); // Optimizer itself is abstract
      }
    }
  });

  it('is none of schedules, which are functions of the step', () => {
    const globalStep = createGlobalStep();
    const rate = noisyLinearCosineDecay(0.1, globalStep, 100, { seed: 3 });
    const rates = Array.from({ length: 10 }, (_, step) => {
      globalStep.value = step;
      return rate();
    });
    const resumed = noisyLinearCosineDecay(0.1, globalStep, 100, { seed: 3 });
    globalStep.value = 7;
    expect(resumed()).to.equal(rates[7]);
    expect(resumed()).to.equal(rates[7]);
  });

  describe('that is wrong is refused, with nothing changed', () => {
    for (const [name, start] of Object.entries(runs)) {
      if (name.endsWith('an optimizer') && !/^(Adam|Ftrl|GradientDescent),/.test(name)) continue;
      it(name, () => {
        const from = start();
        for (let i = 0; i < 5; i++) from.step(i);
        const entries = copyState(collectState(from.parts));
        for (const made of [0, 2, 4]) {
          const other = start();
          for (let i = 0; i < made; i++) other.step(i + 50);
          const before = stateOf(other);
          const options = { variables: other.variables ?? [] };
          const refuses = (wrong: readonly unknown[], kind: ErrorConstructor, message: string): void => {
            const restore = () => restoreState(other.parts, wrong as StateEntry[], options);
            expect(restore, message).to.throw(kind, message);
            expect(stateOf(other)).to.deep.equal(before);
          };
          refuses(
            [...entries, { key: 'nobody’s', dtype: 'int32', shape: [], memory: new Int32Array(1) }],
            Error,
            'nobody’s',
          );
          refuses([...entries, null], TypeError, 'entries must hold state entries, got null');
          entries.forEach((entry, i) => {
            const { key, shape, memory } = entry;
            const others = entries.filter((_, k) => k !== i);
            refuses([...entries, entry], Error, `state has the key "${key}" twice`);
            refuses([...others, { ...entry, ...otherKind(entry) }], TypeError, key);
            refuses([...others, { ...entry, dtype: 'float16' }], TypeError, 'float16');
            refuses([...others, { ...entry, memory: [1] }], TypeError, key);
            refuses([...others, { ...entry, shape: [...shape, 2] }], RangeError, key);
            const wider = new (memory.constructor as Float32ArrayConstructor)(2 * memory.length);
            if (memory.length > 0 && !/losses|tokens|waiting|_shape|^value|^weight|loss.Exp|indices/.test(key)) {
              refuses([...others, { ...entry, shape: [...shape, 2], memory: wider }], RangeError, key);
            }
          });
        }
      });

      it(`${name}: what is missing`, () => {
        const from = start();
        for (let i = 0; i < 5; i++) from.step(i);
        const entries = copyState(collectState(from.parts));
        entries.forEach(({ key }, i) => {
          const before = stateOf(from);
          const without = entries.filter((_, k) => k !== i);
          const restore = () => restoreState(from.parts, without, { variables: from.variables ?? [] });
          try {
            restore();
          } catch (error) {
            expect((error as Error).message, key).to.match(/state/);
            expect(stateOf(from), key).to.deep.equal(before);
            return;
          }
          // What may be missing: then it is not there.
          expect(stateOf(from), key).to.deep.equal(shown(without));
          restoreState(from.parts, entries, { variables: from.variables ?? [] });
        });
      });
    }
  });

  describe('of numbers that cannot be is refused, with nothing changed', () => {
    const cases: readonly (readonly [run: string, key: string, values: readonly number[], message: string])[] = [
      ['GlobalStep', 'global_step', [-1], 'holds -1, expected whole numbers that are not negative'],
      ['GlobalStep', 'global_step', [2 ** 53], 'holds 9007199254740992'],
      ['SparseConditionalAccumulator, MEAN', 'sparse_conditional_accumulator/indices', [1, 1], 'an index twice'],
      ['SparseConditionalAccumulator, MEAN', 'sparse_conditional_accumulator/indices', [1, 4], 'holds 4, which is no'],
      ['SparseConditionalAccumulator, MEAN', 'sparse_conditional_accumulator/indices', [1, -1], 'holds -1, which is'],
      ['GradientAccumulator', 'gradient_accumulator/batches', [0], 'is 0, but there are gradients'],
      ['GradientAccumulator', 'gradient_accumulator/dense/position', [3], 'is 3, expected each of 0 to 3 once'],
      ['GradientAccumulator', 'gradient_accumulator/dense/position', [9], 'is 9, expected each of 0 to 3 once'],
      ['SyncReplicasOptimizer, 0 tokens for 3 replicas', 'sync_replicas/waiting', [1, 1], 'no replica, or one twice'],
      ['SyncReplicasOptimizer, 0 tokens for 3 replicas', 'sync_replicas/waiting', [3], 'no replica, or one twice'],
      ['SyncReplicasOptimizer, 0 tokens for 3 replicas', 'sync_replicas/local_steps', [1], 'shape [1], expected [3]'],
    ];
    for (const [name, key, values, message] of cases) {
      it(`${name}: ${key} of ${values.join()}`, () => {
        const run = runs[name]!();
        for (let i = 0; i < 4 || !collectState(run.parts).some((entry) => entry.key === key); i++) run.step(i);
        const before = stateOf(run);
        const wrong = copyState(collectState(run.parts)).map((entry) => {
          if (entry.key !== key) return entry;
          const memory = entry.dtype === 'int64' ? BigInt64Array.from(values, BigInt) : Int32Array.from(values);
          return { ...entry, memory, shape: entry.shape.length === 0 ? [] : [values.length] };
        });
        const restore = () => restoreState(run.parts, wrong, { variables: run.variables ?? [] });
        expect(restore).to.throw(RangeError, message);
        expect(stateOf(run)).to.deep.equal(before);
      });
    }
  });

  describe('of several objects', () => {
    it('is sorted by key', () => {
      const entries = collectState([createGlobalStep(), variable([1], { name: 'z' }), variable([1], { name: 'a' })]);
      expect(entries.map(({ key }) => key)).to.deep.equal(['a', 'global_step', 'z']);
    });

    it('may not have a key twice: the error names both', () => {
      const [a, b] = [variable([1], { name: 'w' }), variable([1, 2], { name: 'w' })];
      expect(() => collectState([a, createGlobalStep(), b])).to.throw(
        Error,
        `"w" is the key of state of a Variable 'w' (part 0) and of a Variable 'w' (part 2)`,
      );
      const optimizer = new AdamOptimizer();
      optimizer.createSlots([a, b]);
      expect(() => optimizer.state()).to.throw(
        Error,
        `"w/Adam" is the key of state of slot 'm' of the variable 'w' of shape [1] and of slot 'm' of the variable 'w' of shape [2]`,
      );
      const averages = new ExponentialMovingAverage(0.9);
      averages.apply([a, ['w', tensor([1])]]);
      expect(() => averages.state()).to.throw(Error, `the variable 'w' of shape [1] and of the values named 'w'`);
      const accumulator = new GradientAccumulator();
      accumulator.add([
        [Float32Array.of(1), a],
        [Float32Array.of(1, 2), b],
      ]);
      expect(() => accumulator.state()).to.throw(Error, `the variable 'w' of shape [1] and of the variable 'w' of`);
      expect(() => collectState([new AdamOptimizer(), 5 as never])).to.throw(TypeError, 'parts[1] must have state()');
      expect(() => collectState(5 as never)).to.throw(TypeError, 'parts must be an iterable');
    });

    it('is restored in all of them or in none', () => {
      const [v, w] = [variable([1], { name: 'v' }), variable([2], { name: 'w' })];
      const entries = copyState(collectState([v]));
      v.assign([5]);
      expect(() => restoreState([v, w], entries)).to.throw(
        Error,
        `state lacks "w", which a Variable 'w' (part 1) needs`,
      );
      expect(v.item()).to.equal(5);
    });

    it('goes to nobody that could be another', () => {
      const [v, w] = [variable([1], { name: 'v' }), variable([2], { name: 'w' })];
      const start = (): [Optimizer, Optimizer] => [
        new AdagradOptimizer({ learningRate: 1 }),
        new AdagradOptimizer({ learningRate: 1 }),
      ];
      const optimizers = start();
      optimizers[0].createSlots([v]);
      optimizers[1].createSlots([w]);
      const entries = copyState(collectState(optimizers));
      const others = start();
      const both = `would belong to an AdagradOptimizer 'Adagrad' (part 0) and to an AdagradOptimizer 'Adagrad' (part 1)`;
      expect(() => restoreState(others, entries, { variables: [v, w] })).to.throw(Error, both);
      expect(others.map((one) => one.state())).to.deep.equal([[], []]);

      const averages = [new ExponentialMovingAverage(0.9), new ExponentialMovingAverage(0.9)] as const;
      averages[0].apply([v]);
      averages[1].apply([w]);
      const again = [new ExponentialMovingAverage(0.9), new ExponentialMovingAverage(0.9)];
      const restore = () => restoreState(again, collectState(averages), { variables: [v, w] });
      expect(restore).to.throw(Error, 'and to an ExponentialMovingAverage');
    });
  });

  describe('of what does not exist yet', () => {
    it('makes slots without asking what they start from', () => {
      const w = variable([1, 2], { name: 'w' });
      const first = new AdagradOptimizer({ learningRate: 1, initialAccumulatorValue: 2 });
      first.createSlots([w]);
      const second = new AdagradOptimizer({
        learningRate: 1,
        initialAccumulatorValue: () => {
          throw new Error('asked');
        },
      });
      second.restore(first.state(), { variables: [w] });
      expect([...second.getSlot(w, 'accumulator')!.data]).to.deep.equal([2, 2]);
    });

    it('needs the variables that it is of', () => {
      const w = variable([1, 2], { name: 'w' });
      const first = new AdamOptimizer();
      first.createSlots([w]);
      const second = new AdamOptimizer();
      expect(() => second.restore(first.state())).to.throw(Error, 'state has "beta1_power", "beta2_power", "w/Adam"');
      expect(second.variables()).to.deep.equal([]);
      const averages = new ExponentialMovingAverage(0.9);
      averages.apply([w]);
      expect(() => new ExponentialMovingAverage(0.9).restore(averages.state())).to.throw(
        Error,
        `of a variable 'w', which is not known: give it in { variables }`,
      );
      expect(() => second.restore([], { variables: [5 as never] })).to.throw(
        TypeError,
        'variables must hold Variables',
      );
      expect(() => second.restore([], { adopt: 1 as never })).to.throw(TypeError, 'adopt must be a boolean');
    });

    it('lies in the given memory itself where that is adopted', () => {
      const w = variable([1, 2], { name: 'w' });
      const first = new MomentumOptimizer({ learningRate: 1, momentum: 0.5 });
      const averages = new ExponentialMovingAverage(0.9);
      first.applyGradients([[Float32Array.of(1, 1), w]]);
      averages.apply([w]);
      const second = new MomentumOptimizer({ learningRate: 1, momentum: 0.5 });
      second.restore(first.state(), { variables: [w], adopt: true });
      expect(second.getSlot(w, 'momentum')!.data.buffer).to.equal(first.getSlot(w, 'momentum')!.data.buffer);
      second.applyGradients([[Float32Array.of(1, 1), w]]);
      expect([...first.getSlot(w, 'momentum')!.data]).to.deep.equal([1.5, 1.5]);
      const others = new ExponentialMovingAverage(0.9);
      others.restore(averages.state(), { variables: [w], adopt: true });
      expect(others.average(w)!.data.buffer).to.equal(averages.average(w)!.data.buffer);
      expect(others.average(w)!.data.byteOffset).to.equal(averages.average(w)!.data.byteOffset);
    });

    it('adopts no memory that could be taken away', () => {
      const w = variable([1, 2], { name: 'w' });
      const first = new AdamOptimizer();
      first.createSlots([w]);
      const entries = copyState(first.state()).map((entry) => ({
        ...entry,
        memory: Float32Array.from(entry.memory as Float32Array),
      }));
      const second = new AdamOptimizer();
      const options = { variables: [w], adopt: true };
      expect(() => second.restore(entries.slice(2), options)).to.throw(
        TypeError,
        '"w/Adam" in the state cannot be adopted',
      );
      expect(second.variables()).to.deep.equal([]);
    });
  });

  it('is taken from arrays that lie, and refused when their memory has gone', () => {
    const w = variable([1, 2], { name: 'w' });
    const memory = Object.defineProperty(Float32Array.of(3, 4), 'length', { value: 1e9 });
    w.restore([{ ...w.state()[0]!, memory }]);
    expect([...w.data]).to.deep.equal([3, 4]);
    const gone = Float32Array.of(5, 6);
    structuredClone(gone.buffer, { transfer: [gone.buffer] });
    expect(() => w.restore([{ ...w.state()[0]!, memory: gone }])).to.throw(
      RangeError,
      '"w" in the state has 0 elements',
    );
    expect([...w.data]).to.deep.equal([3, 4]);
  });

  it('is live memory until it is copied', () => {
    const w = variable([1], { name: 'w' });
    const [live, copied] = [collectState([w]), copyState(collectState([w]))];
    w.assign([2]);
    expect([live[0]!.memory[0], copied[0]!.memory[0]]).to.deep.equal([2, 1]);
  });
});

/** The same entries over shared memory. */
function shared(entries: readonly StateEntry[]): StateEntry[] {
  return entries.map(({ memory, ...entry }) => {
    const Class = memory.constructor as Float32ArrayConstructor;
    const copy = new Class(new SharedArrayBuffer(memory.byteLength));
    copy.set(memory as Float32Array);
    return { ...entry, memory: copy };
  });
}
