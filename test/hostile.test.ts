import { expect } from 'chai';
import { freemem } from 'node:os';
import {
  AdamOptimizer,
  clipByGlobalNorm,
  createGlobalStep,
  globalNorm,
  GradientDescentOptimizer,
  IndexedSlices,
  LazyAdamOptimizer,
  MomentumOptimizer,
  ops,
  tensor,
  variable,
  Variable,
  type GradientAndVariable,
  type Optimizer,
} from 'gradstep';

const trap = (name: string): object =>
  Object.defineProperty({}, name, {
    enumerable: true,
    get: () => {
      throw new Error(`the getter of ${name}`);
    },
  });

/** Everything an optimizer's step could have changed. */
const stateOf = (optimizer: Optimizer, variables: readonly Variable[]): string =>
  JSON.stringify([...variables, ...optimizer.variables()].map(({ name, data }) => [name, [...data]]));

describe('hostile input', () => {
  it('options with getters that throw change nothing', () => {
    const v = variable([1, 2]);
    const optimizer = new MomentumOptimizer({ learningRate: 1, momentum: 0.9 });
    const g = Float32Array.of(1, 1);
    optimizer.applyGradients([[g, v]]);
    const before = stateOf(optimizer, [v]);
    expect(() => optimizer.applyGradients([[g, v]], trap('globalStep'))).to.throw('the getter of globalStep');
    expect(() => optimizer.minimize(() => ops.l2Loss(v), trap('varList'))).to.throw('the getter of varList');
    expect(() => clipByGlobalNorm([g], 1, trap('inPlace'))).to.throw('the getter of inPlace');
    expect(() => new AdamOptimizer(trap('learningRate'))).to.throw('the getter of learningRate');
    expect(() => optimizer.applyGradients([trap('0') as unknown as GradientAndVariable])).to.throw(TypeError);
    expect(() => tensor(trap('length') as unknown as number[])).to.throw(TypeError, 'values must be numbers');
    expect(stateOf(optimizer, [v])).to.equal(before);
  });

  it('iterables that throw half-way change nothing', () => {
    const v = variable([1]);
    const optimizer = new AdamOptimizer();
    function* pairs(): Iterable<GradientAndVariable> {
      yield [Float32Array.of(1), v];
      throw new Error('half-way');
    }
    expect(() => optimizer.applyGradients(pairs())).to.throw('half-way');
    expect(stateOf(optimizer, [v])).to.equal(stateOf(new AdamOptimizer(), [v]));
    expect(v.item()).to.equal(1);
  });

  it('one bad pair among many good ones changes none of them', () => {
    const many = Array.from({ length: 1000 }, (_, i) => variable([i]));
    const optimizer = new AdamOptimizer();
    const step = createGlobalStep();
    const good: GradientAndVariable[] = many.map((v) => [Float32Array.of(1), v]);
    optimizer.applyGradients(good, { globalStep: step });
    const before = stateOf(optimizer, many);
    for (const bad of [new Float64Array(1), new Float32Array(2), new IndexedSlices([1], [1]), 'x', trap('data')]) {
      const pairs: GradientAndVariable[] = [...good.slice(0, 999), [bad as Float32Array, many[999]!]];
      expect(() => optimizer.applyGradients(pairs, { globalStep: step })).to.throw();
      expect(stateOf(optimizer, many)).to.equal(before);
      expect(step.value).to.equal(1);
    }
  });

  it('a loss that throws, or that steps the optimizer itself, leaves things usable', () => {
    const v = variable([3]);
    const optimizer = new GradientDescentOptimizer({ learningRate: 0.5 });
    const nested = (): never => {
      optimizer.minimize(() => ops.l2Loss(v));
      throw new Error('not reached');
    };
    expect(() => optimizer.minimize(nested)).to.throw(Error, 'gradients are being computed already');
    expect(() =>
      optimizer.minimize(() => {
        throw new Error('mine');
      }),
    ).to.throw('mine');
    optimizer.minimize(() => ops.l2Loss(v));
    expect(v.item()).to.equal(1.5);
  });

  it('empty variables and empty lists of rows step without harm', () => {
    const empty = variable(new Float32Array(0));
    const rows = variable(new Float32Array(0), { shape: [4, 0] });
    const table = variable([[1], [2]]);
    for (const optimizer of [
      new AdamOptimizer(),
      new LazyAdamOptimizer(),
      new MomentumOptimizer({ learningRate: 1, momentum: 0 }),
    ]) {
      optimizer.applyGradients([
        [new Float32Array(0), empty],
        [new IndexedSlices(new Float32Array(0), [1, 2], [4, 0]), rows],
        [new IndexedSlices([], [], [2, 1]), table],
      ]);
    }
    expect(table.toArray()).to.deep.equal([[1], [2]]);
  });

  it('gradients that are the variable itself, or overlap it, are read before they are written', () => {
    const v = variable(new Float32Array(100_000).fill(2));
    new GradientDescentOptimizer({ learningRate: 0.25 }).applyGradients([[v.data, v]]);
    expect(v.data.every((x) => x === 1.5)).to.equal(true);
  });

  it('arrays of more than 2^31 elements are counted in full', function () {
    this.timeout(300_000);
    const n = 2 ** 31 + 5;
    if (freemem() < 14 * 2 ** 30) this.skip();
    const array = new Float32Array(n);
    array[0] = 4;
    array[n - 1] = 3;
    expect(globalNorm([array])).to.equal(5);
    new GradientDescentOptimizer({ learningRate: 0.5 }).applyGradients([[array, Variable.over(array)]]);
    expect([array[0], array[n - 1]]).to.deep.equal([2, 1.5]);
  });
});
