import { expect } from 'chai';
import * as fc from 'fast-check';
import {
  clipByGlobalNorm,
  ConditionalAccumulator,
  GradientAccumulator,
  GradientDescentOptimizer,
  GradientsAndVariables,
  IndexedSlices,
  MomentumOptimizer,
  ops,
  SparseConditionalAccumulator,
  tensor,
  variable,
  type GradientAndVariable,
  type Tensor,
} from 'gradstep';

const optimizer = new GradientDescentOptimizer({ learningRate: 0.1 });
const rows = (values: number[][], indices: number[], denseShape?: number[]) =>
  new IndexedSlices(values, indices, denseShape);

describe('ConditionalAccumulator', () => {
  it('takes the mean or the sum of all that have come, also when they are more than required', () => {
    for (const [reductionType, expected] of [
      ['MEAN', [2, 3]],
      ['SUM', [6, 9]],
    ] as const) {
      // prettier-ignore
      const accumulator = new ConditionalAccumulator('float32', { reductionType });
      for (const values of [[1, 2], [2, 3], [3, 4]]) accumulator.applyGrad(tensor(values)); // prettier-ignore
      expect(accumulator.numAccumulated()).to.equal(3);
      expect(accumulator.takeGrad(2)!.toArray()).to.deep.equal(expected);
      expect(accumulator.numAccumulated()).to.equal(0);
    }
  });

  it('gives null while there are fewer than required, and keeps them', () => {
    const accumulator = new ConditionalAccumulator('float32');
    expect(accumulator.takeGrad(1)).to.equal(null);
    accumulator.applyGrad(tensor([1]));
    expect(accumulator.takeGrad(2)).to.equal(null);
    expect(accumulator.globalStep).to.equal(0);
    accumulator.applyGrad(tensor([2]));
    expect(accumulator.takeGrad(2)!.toArray()).to.deep.equal([1.5]);
    expect(accumulator.globalStep).to.equal(1);
  });

  it('drops what was computed at an earlier step', () => {
    const accumulator = new ConditionalAccumulator('float32');
    accumulator.setGlobalStep(5);
    expect([4, 5, 6].map((step) => accumulator.applyGrad(tensor([step]), step))).to.deep.equal([false, true, true]);
    expect(accumulator.takeGrad(1)!.toArray()).to.deep.equal([5.5]);
    expect(accumulator.applyGrad(tensor([0]), 5)).to.equal(false);
    expect(accumulator.applyGrad(tensor([0]), 6)).to.equal(true);
  });

  it('gives what later rounds do not change', () => {
    const accumulator = new ConditionalAccumulator('float64', { shape: [2] });
    const given = new Float64Array([1, 2]);
    accumulator.applyGrad(given);
    const first = accumulator.takeGrad(1)!;
    accumulator.applyGrad(tensor([5, 6], [2], 'float64'), 1);
    const second = accumulator.takeGrad(1)!;
    expect([first.toArray(), second.toArray(), [...given]]).to.deep.equal([[1, 2], [5, 6], [1, 2]]); // prettier-ignore
  });

  it('counts the factor of a gradient in', () => {
    const accumulator = new ConditionalAccumulator('float32');
    const [clipped] = clipByGlobalNorm([tensor([3, 4])], 1);
    accumulator.applyGrad(clipped[0]);
    accumulator.applyGrad(tensor([1, 1]));
    const [a, b] = accumulator.takeGrad(2)!.toArray() as number[];
    expect(a).to.be.closeTo(0.8, 1e-7);
    expect(b).to.be.closeTo(0.9, 1e-7);
  });

  it('refuses by name, and is as it was', () => {
    const accumulator = new ConditionalAccumulator('float32', { shape: [2] });
    const apply = (gradient: unknown, step?: number) => () => accumulator.applyGrad(gradient as Tensor, step);
    expect(apply([1, 2])).to.throw(TypeError, 'gradient must be a Tensor, a Variable or a typed array');
    expect(apply(tensor([1]))).to.throw(RangeError, 'gradient has shape [1], expected [2]');
    expect(apply(new Float64Array(2))).to.throw(TypeError, 'gradient is float64, expected float32');
    expect(apply(tensor([1, 2]), -1)).to.throw(RangeError, 'localStep must be a whole number');
    for (const n of [0, -1, 0.5]) expect(() => accumulator.takeGrad(n)).to.throw(RangeError, 'numRequired');
    expect(() => accumulator.setGlobalStep(-1)).to.throw(RangeError, 'globalStep');
    expect(() => new ConditionalAccumulator('int' as 'float32')).to.throw(TypeError, 'dtype');
    expect(() => new ConditionalAccumulator('float32', { reductionType: 'MAX' as 'SUM' })).to.throw(
      RangeError,
      "'MEAN'",
    );
    expect(accumulator.numAccumulated()).to.equal(0);
  });
});

describe('SparseConditionalAccumulator', () => {
  it('divides each row by the number of gradients that had it, and sorts rows by index', () => {
    const accumulator = new SparseConditionalAccumulator('float32', { shape: [9, 1] });
    accumulator.applyGrad(rows([[6], [2]], [7, 3]));
    accumulator.applyGrad(rows([[1], [4]], [0, 7]));
    const mean = accumulator.takeGrad(2)!;
    expect([...mean.indices]).to.deep.equal([0, 3, 7]);
    expect(mean.values.toArray()).to.deep.equal([[1], [2], [5]]);
    expect(mean.denseShape).to.deep.equal([9, 1]);
  });

  it('sums a row that occurs twice in one gradient, and counts it once', () => {
    const accumulator = new SparseConditionalAccumulator('float32');
    accumulator.applyGrad(rows([[1], [2]], [4, 4]));
    accumulator.applyGrad(rows([[5]], [4]));
    expect(accumulator.takeGrad(1)!.values.toArray()).to.deep.equal([[4]]);
  });

  it('starts anew after each take, whatever rows come', () => {
    const batch = fc.array(fc.tuple(fc.nat(20), fc.integer({ min: -9, max: 9 })), { maxLength: 30 });
    fc.assert(
      fc.property(fc.array(fc.array(batch, { minLength: 1, maxLength: 3 }), { maxLength: 4 }), (rounds) => {
        const accumulator = new SparseConditionalAccumulator('float64', { shape: [21, 2], reductionType: 'SUM' });
        rounds.forEach((gradients, step) => {
          const expected = new Map<number, number>();
          for (const gradient of gradients) {
            const values = Float64Array.from(gradient.flatMap(([, value]) => [value, 2 * value]));
            accumulator.applyGrad(new IndexedSlices(values, gradient.map(([i]) => i), [21, 2]), step); // prettier-ignore
            for (const [i, value] of gradient) expected.set(i, (expected.get(i) ?? 0) + value);
          }
          const sum = accumulator.takeGrad(1)!;
          const indices = [...expected.keys()].sort((a, b) => a - b);
          expect([...sum.indices]).to.deep.equal(indices);
          expect([...sum.values.data]).to.deep.equal(
            indices.flatMap((i) => [expected.get(i)! + 0, 2 * expected.get(i)! + 0]),
          );
        });
      }),
    );
  });

  it('takes rows without elements', () => {
    const accumulator = new SparseConditionalAccumulator('float32', { shape: [4, 0] });
    accumulator.applyGrad(new IndexedSlices(new Float32Array(0), [3, 1], [4, 0]));
    expect([...accumulator.takeGrad(1)!.indices]).to.deep.equal([1, 3]);
  });

  it('refuses by name, and is as it was', () => {
    const accumulator = new SparseConditionalAccumulator('float32', { shape: [4, 2] });
    const apply = (gradient: unknown) => () => accumulator.applyGrad(gradient as IndexedSlices);
    expect(apply(tensor([1]))).to.throw(TypeError, 'gradient must be IndexedSlices, got a Tensor');
    expect(apply(rows([[1]], [0]))).to.throw(RangeError, 'values of gradient has shape [1, 1], expected [1, 2]');
    expect(apply(rows([[1, 2]], [4]))).to.throw(RangeError, 'indices[0] = 4, expected 0 to 4 (exclusive)');
    expect(apply(rows([[1, 2]], [-1]))).to.throw(RangeError, 'indices[0] = -1');
    expect(apply(rows([[1, 2]], [0], [5, 2]))).to.throw(
      RangeError,
      'denseShape of gradient is [5, 2], expected [4, 2]',
    );
    expect(accumulator.takeGrad(1)).to.equal(null);
  });
});

describe('GradientAccumulator', () => {
  it('makes of equal parts of a batch the gradient of the batch', () => {
    const x = Float32Array.from({ length: 24 }, (_, i) => Math.sin(i));
    const w = variable(
      Float32Array.from({ length: 6 }, (_, i) => Math.cos(i)),
      { shape: [3, 2] },
    );
    const loss = (from: number, to: number) => () =>
      ops.reduceMean(ops.square(ops.matMul(tensor(x.slice(3 * from, 3 * to), [to - from, 3]), w)));
    const whole = optimizer.computeGradients(loss(0, 8));
    const accumulator = new GradientAccumulator();
    for (let i = 0; i < 4; i++)
      expect(accumulator.add(optimizer.computeGradients(loss(2 * i, 2 * i + 2)))).to.equal(i + 1);
    const parts = accumulator.take();
    expect(parts).to.be.instanceOf(GradientsAndVariables);
    expect(parts.loss.item()).to.be.closeTo(whole.loss.item(), 1e-6);
    const [expected, actual] = [whole, parts].map(([pair]) => [...(pair![0] as Tensor).data]);
    actual!.forEach((value, i) => expect(value).to.be.closeTo(expected![i]!, 1e-6));
  });

  it('gives gradients that clip and apply like any others, and allocates nothing from round to round', () => {
    const v = variable([3, 4]);
    const accumulator = new GradientAccumulator();
    const memories = new Set<object>();
    for (let round = 0; round < 6; round++) {
      for (let i = 0; i < 2; i++) accumulator.add(optimizer.computeGradients(() => ops.l2Loss(v)));
      const [clipped, norm] = clipByGlobalNorm(accumulator.take(), 1);
      expect(norm).to.be.closeTo(Math.hypot(...v.data), 1e-6);
      memories.add((clipped[0]![0] as Tensor).raw);
      optimizer.applyGradients(clipped);
    }
    expect(memories.size).to.be.at.most(3);
  });

  it('leaves what was taken readable while the next round gathers', () => {
    const v = variable([1, 2]);
    const accumulator = new GradientAccumulator();
    accumulator.add([[tensor([1, 2]), v]]);
    const [[first]] = accumulator.take() as unknown as [[Tensor]];
    accumulator.add([[tensor([7, 8]), v]]);
    expect(first.toArray()).to.deep.equal([1, 2]);
  });

  it('keeps sparse gradients sparse, with rows summed, and steps as their dense form would', () => {
    const results = [true, false].map((isSparse) => {
      const v = variable([[1], [2], [3], [4]]);
      const momentum = new MomentumOptimizer({ learningRate: 0.5, momentum: 0 });
      const accumulator = new GradientAccumulator();
      for (const gradient of [rows([[1], [2]], [3, 0], [4, 1]), rows([[4], [6]], [3, 3], [4, 1])]) {
        accumulator.add([[isSparse ? gradient : gradient.toDense(), v]]);
      }
      const taken = accumulator.take();
      if (isSparse) {
        const slices = taken[0]![0] as IndexedSlices;
        expect([...slices.indices]).to.deep.equal([0, 3]);
        expect(slices.values.toArray()).to.deep.equal([[1], [5.5]]);
      }
      momentum.applyGradients(taken);
      return v.toArray();
    });
    expect(results[0]).to.deep.equal(results[1]);
  });

  it('becomes dense where sparse and dense gradients meet, in either order', () => {
    const gradients = [rows([[1], [2]], [1, 1], [2, 1]), tensor([[10], [20]]), rows([[4]], [0], [2, 1])];
    for (const order of [gradients, [...gradients].reverse()]) {
      const v = variable([[0], [0]]);
      const accumulator = new GradientAccumulator({ reductionType: 'SUM' });
      for (const gradient of order) accumulator.add([[gradient, v]]);
      expect((accumulator.take()[0]![0] as Tensor).toArray()).to.deep.equal([[14], [23]]);
    }
  });

  it('has null for a variable that no batch of the round had a gradient for', () => {
    const [a, b, c] = [variable([0]), variable([0]), variable([0])];
    const accumulator = new GradientAccumulator();
    accumulator.add([[null, a], [tensor([4]), b]]); // prettier-ignore
    accumulator.add([[tensor([2]), b], [tensor([6]), c]]); // prettier-ignore
    const pairs = accumulator.take();
    expect(pairs.map(([gradient]) => (gradient as Tensor | null)?.toArray() ?? null)).to.deep.equal([null, [3], [3]]);
    expect(pairs.loss.item()).to.be.NaN;
    accumulator.add([[tensor([1]), c]]);
    expect(accumulator.take().map(([, variable]) => variable)).to.deep.equal([c]);
  });

  it('changes nothing when it throws, and has nothing to take after a reset', () => {
    const [a, b] = [variable([0]), variable([0])];
    const accumulator = new GradientAccumulator();
    const add = (pairs: unknown) => () => accumulator.add(pairs as GradientAndVariable[]);
    accumulator.add([[tensor([1]), a]]);
    expect(add([[tensor([1]), a], [tensor([1, 2]), b]])).to.throw(RangeError, 'has shape [2], expected [1]'); // prettier-ignore
    expect(add(7)).to.throw(TypeError, 'gradsAndVars must be an iterable');
    expect(accumulator.count).to.equal(1);
    expect((accumulator.take()[0]![0] as Tensor).toArray()).to.deep.equal([1]);
    accumulator.add([[tensor([1]), a]]);
    accumulator.reset();
    expect(() => accumulator.take()).to.throw(Error, 'no gradients to take');
  });
});
