import { expect } from 'chai';
import * as fc from 'fast-check';
import { gradients, ops, tensor, type Tensor } from 'gradstep';
import {
  awkwardSizes,
  denseOf,
  expectClose,
  expectFloat32,
  expectGradients,
  randomTensor,
} from '../../support/numeric-gradient';

/** Sums of x over `axes` by their definition, and how many terms each has. */
function sums(x: Tensor, axes: readonly number[]): { values: number[]; count: number } {
  const kept = x.shape.map((_, d) => d).filter((d) => !axes.includes(d));
  const size = kept.reduce((all, d) => all * x.shape[d]!, 1);
  const values = new Array<number>(size).fill(0);
  x.data.forEach((value, i) => {
    let rest = i;
    const index = x.shape.map(() => 0);
    for (let d = x.shape.length - 1; d >= 0; d--) {
      index[d] = rest % x.shape[d]!;
      rest = Math.floor(rest / x.shape[d]!);
    }
    values[kept.reduce((offset, d) => offset * x.shape[d]! + index[d]!, 0)]! += value;
  });
  return { values, count: axes.reduce((all, d) => all * x.shape[d]!, 1) };
}

const subsets = (rank: number): number[][] =>
  Array.from({ length: 2 ** rank }, (_, bits) =>
    Array.from({ length: rank }, (_, d) => d).filter((d) => (bits >> d) & 1),
  );

const shapes = [
  [],
  ...awkwardSizes.map((n) => [n]),
  [17, 33],
  [3, 1, 5],
  [2, 3, 4],
  [2, 3, 1, 17],
  [0, 3],
  [3, 0],
  [2, 0, 3],
];

for (const [name, op, isMean] of [
  ['reduceSum', ops.reduceSum, false],
  ['reduceMean', ops.reduceMean, true],
] as const) {
  describe(name, () => {
    it(`is the ${isMean ? 'mean' : 'sum'} over any dimensions of any shape`, () => {
      for (const shape of shapes) {
        for (const axes of subsets(shape.length)) {
          const x = randomTensor(shape);
          const y = op(x, axes);
          const { values, count } = sums(x, axes);
          expect(y.shape).to.deep.equal(shape.filter((_, d) => !axes.includes(d)));
          expectClose(
            y.data,
            isMean ? values.map((sum) => sum / count) : values,
            1e-14,
            `[${shape.join()}] over [${axes.join()}]`,
          );
        }
      }
    });

    it('has the gradient that differences show', () => {
      for (const shape of shapes) {
        for (const axes of subsets(shape.length)) {
          if (isMean && axes.some((d) => shape[d] === 0)) continue; // the mean of nothing is NaN
          expectGradients((x) => op(x, axes), [randomTensor(shape)]);
        }
      }
    });

    it('keeps reduced dimensions with size 1 where asked to', () => {
      const x = randomTensor([2, 3, 4]);
      expect(op(x, [0, 2], { keepDims: true }).shape).to.deep.equal([1, 3, 1]);
      expect(op(x, undefined, { keepDims: true }).shape).to.deep.equal([1, 1, 1]);
      expect([...op(x, 1, { keepDims: true }).data]).to.deep.equal([...op(x, 1).data]);
      expectGradients((t) => op(t, [0, 2], { keepDims: true }), [x]);
    });

    it('reduces all dimensions by default, none for an empty list, and counts negative ones from the end', () => {
      const x = randomTensor([2, 3, 4]);
      expect(op(x).shape).to.deep.equal([]);
      expect(op(x).item()).to.be.closeTo(op(x, [0, 1, 2]).item(), 1e-12);
      expect([...op(x, []).data]).to.deep.equal([...x.data]);
      expect([...op(x, -1).data]).to.deep.equal([...op(x, 2).data]);
      expect([...op(x, [-1, 0]).data]).to.deep.equal([...op(x, [0, 2]).data]);
    });

    it('does the same in float32, to its precision', () => {
      expectFloat32((x) => op(x, 0), [randomTensor([33, 17])], 1e-6);
      expectFloat32((x) => op(x, 1), [randomTensor([33, 17])], 1e-6);
      expectFloat32((x) => op(x), [randomTensor([33, 17])], 1e-6);
    });

    it('lets NaN and infinities through', () => {
      expect(op(tensor([1, NaN])).item()).to.be.NaN;
      expect(op(tensor([1, Infinity])).item()).to.equal(Infinity);
      expect(op(tensor([-Infinity, Infinity])).item()).to.be.NaN;
    });

    it('refuses axes that x does not have, that repeat or are none', () => {
      const x = randomTensor([2, 3]);
      expect(() => op(x, 2)).to.throw(RangeError, 'axes must lie in [-2, 2) for 2 dimensions, got 2');
      expect(() => op(x, [0, -2])).to.throw(RangeError, 'axes must not repeat, got [0, -2]');
      expect(() => op(x, [0.5])).to.throw(TypeError, 'axes must be whole numbers, got 0.5');
      expect(() => op(x, '0' as never)).to.throw(TypeError, 'axes must be whole numbers, got "0"');
      expect(() => op(x, 0, { keepDims: 1 as never })).to.throw(TypeError, 'keepDims must be a boolean, got 1');
      expect(() => op(x, 0, null as never)).to.throw(TypeError, 'options must be an object, got null');
      expect(() => op('x' as never)).to.throw(TypeError, 'x must be a Tensor');
    });
  });
}

describe('reduceSum and reduceMean', () => {
  it('of nothing are 0 and NaN', () => {
    expect(ops.reduceSum(tensor([])).item()).to.equal(0);
    expect(ops.reduceMean(tensor([])).item()).to.be.NaN;
    expect([...ops.reduceSum(tensor([], [0, 2]), 0).data]).to.deep.equal([0, 0]);
    expect([...ops.reduceMean(tensor([], [0, 2]), 0).data]).to.deep.equal([NaN, NaN]);
    expect(ops.reduceMean(tensor([], [0, 2]), 1).shape).to.deep.equal([0]);
    const x = tensor([]);
    expect(denseOf(gradients(() => ops.reduceMean(x), [x])[0])).to.have.length(0);
  });

  it('add up in double precision', () => {
    const x = new Float32Array(100_000).fill(0.1);
    expect(ops.reduceSum(x).item()).to.equal(Math.fround(100_000 * Math.fround(0.1)));
    expect(ops.reduceMean(x).item()).to.equal(Math.fround(0.1));
    expect(ops.reduceMean(Float32Array.of(3e38, 3e38)).item()).to.equal(Math.fround(3e38));
  });

  it('agree with each other', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 4 }), fc.nat(15), (shape, bits) => {
        const axes = shape.map((_, d) => d).filter((d) => (bits >> d) & 1);
        const count = axes.reduce((all, d) => all * shape[d]!, 1);
        const x = randomTensor(shape);
        expectClose(ops.mul(ops.reduceMean(x, axes), count).data, ops.reduceSum(x, axes).data, 1e-14);
      }),
    );
  });
});

describe('l2Loss', () => {
  it('is half the sum of squares, of rank 0', () => {
    for (const shape of [[], ...awkwardSizes.map((n) => [n]), [3, 5, 7]]) {
      const x = randomTensor(shape);
      const loss = ops.l2Loss(x);
      expect(loss.shape).to.deep.equal([]);
      let sum = 0;
      for (const value of x.data) sum += value * value;
      expectClose(loss.data, [sum / 2], 1e-14);
    }
  });

  it('has x for its gradient', () => {
    for (const shape of [[], [1], [1, 1], [0], [3, 5]]) {
      const x = randomTensor(shape);
      expect([...denseOf(gradients(() => ops.l2Loss(x), [x])[0])]).to.deep.equal([...x.data]);
      expectGradients(ops.l2Loss, [x]);
    }
  });

  it('does the same in float32, without overflow on the way', () => {
    expectFloat32(ops.l2Loss, [randomTensor([33])], 1e-6);
    expect(ops.l2Loss(Float32Array.of(2e19)).item()).to.equal(Math.fround(Math.fround(2e19) ** 2 / 2));
    expect(ops.l2Loss(Float32Array.of(1e30)).item()).to.equal(Infinity);
    expect(ops.l2Loss(Float32Array.of(NaN, 1)).item()).to.be.NaN;
  });
});
