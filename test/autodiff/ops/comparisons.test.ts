import { expect } from 'chai';
import { compile, gradients, ops, tensor, variable, type BoolTensor, type Tensor } from 'gradstep';
import { denseOf } from '../../support/numeric-gradient';

type Compare = (x: never, y: never) => BoolTensor;
const comparisons: Record<string, { op: Compare; of: (x: number, y: number) => boolean }> = {
  equal: { op: ops.equal, of: (x, y) => x === y },
  notEqual: { op: ops.notEqual, of: (x, y) => x !== y },
  less: { op: ops.less, of: (x, y) => x < y },
  lessEqual: { op: ops.lessEqual, of: (x, y) => x <= y },
  greater: { op: ops.greater, of: (x, y) => x > y },
  greaterEqual: { op: ops.greaterEqual, of: (x, y) => x >= y },
};

const points = [0, -0, 1, -1, 5e-324, 1e300, Infinity, -Infinity, NaN];

for (const [name, { op, of }] of Object.entries(comparisons)) {
  const compare = op as (x: unknown, y: unknown) => BoolTensor;
  describe(name, () => {
    it('compares floats, infinities and NaN, and broadcasts', () => {
      const z = compare(tensor(points, [points.length, 1], 'float64'), Float64Array.from(points));
      expect([z.dtype, z.shape]).to.deep.equal(['bool', [points.length, points.length]]);
      expect(z.toArray()).to.deep.equal(points.map((x) => points.map((y) => of(x, y))));
    });

    it('compares whole numbers, also large ones, and what is true', () => {
      const [a, b] = [[2 ** 31 - 1, -(2 ** 31), 7], [2 ** 31 - 2, -(2 ** 31), 8]]; // prettier-ignore
      const z = compare(tensor(a, [3], 'int32'), tensor(b, [3], 'int32'));
      expect(z.toArray()).to.deep.equal(a.map((x, i) => of(x, b[i]!)));
      const [p, q] = [tensor([1, 0], [2, 1], 'bool'), tensor([1, 0], [2], 'bool')];
      expect(compare(p, q).toArray()).to.deep.equal([1, 0].map((x) => [1, 0].map((y) => of(x, y))));
    });

    it('takes numbers and variables', () => {
      expect(compare(variable([1, 2, 3]), 2).toArray()).to.deep.equal([1, 2, 3].map((x) => of(x, 2)));
      expect(compare(2.5, tensor([2, 3], [2], 'int32')).toArray()).to.deep.equal([2, 3].map((y) => of(2.5, y)));
      expect(compare(1, 2).toArray()).to.equal(of(1, 2));
      expect(compare(0.1, Float32Array.of(0.1)).toArray()).to.deep.equal([of(0.1, 0.1)]);
    });

    it('refuses different types and shapes that do not broadcast', () => {
      expect(() => compare(Float32Array.of(1), Float64Array.of(1))).to.throw(
        TypeError,
        'x is float32 and y is float64',
      );
      expect(() => compare(tensor([1], [1], 'int32'), Float32Array.of(1))).to.throw(
        TypeError,
        'x is int32 and y is float32',
      );
      expect(() => compare(Float32Array.of(1, 2), Float32Array.of(1, 2, 3))).to.throw(
        RangeError,
        'they do not broadcast',
      );
      expect(() => compare('1', 1)).to.throw(TypeError, 'x must be a Tensor');
    });
  });
}

describe('isNan, isInf and isFinite', () => {
  it('tell what a number is', () => {
    for (const dtype of ['float32', 'float64'] as const) {
      const x = tensor([0, -0, 1e-45, Infinity, -Infinity, NaN], [6], dtype);
      expect(ops.isNan(x).toArray()).to.deep.equal([false, false, false, false, false, true]);
      expect(ops.isInf(x).toArray()).to.deep.equal([false, false, false, true, true, false]);
      expect(ops.isFinite(x).toArray()).to.deep.equal([true, true, true, false, false, false]);
    }
    expect(ops.isFinite(tensor([2 ** 31 - 1], [1], 'int32')).toArray()).to.deep.equal([true]);
    expect(() => ops.isNan('1' as never)).to.throw(TypeError, 'x must be a Tensor');
  });
});

describe('logicalAnd, logicalOr, logicalXor and logicalNot', () => {
  const [x, y] = [tensor([1, 0], [2, 1], 'bool'), tensor([1, 0], [2], 'bool')];

  it('are what they say, of masks that broadcast', () => {
    expect(ops.logicalAnd(x, y).toArray()).to.deep.equal([[true, false], [false, false]]); // prettier-ignore
    expect(ops.logicalOr(x, y).toArray()).to.deep.equal([[true, true], [true, false]]); // prettier-ignore
    expect(ops.logicalXor(x, y).toArray()).to.deep.equal([[false, true], [true, false]]); // prettier-ignore
    expect(ops.logicalNot(y).toArray()).to.deep.equal([false, true]);
    expect(ops.logicalAnd(tensor([], [0, 3], 'bool'), tensor([1, 1, 1], [3], 'bool')).shape).to.deep.equal([0, 3]);
  });

  it('refuse what is no mask', () => {
    for (const op of [ops.logicalAnd, ops.logicalOr, ops.logicalXor]) {
      expect(() => op(x, tensor([1, 0]) as never)).to.throw(TypeError, 'y is float32, expected bool');
      expect(() => op(1 as never, y)).to.throw(TypeError, 'x must be a Tensor of bool');
      expect(() => op(tensor([1, 0, 1], [3], 'bool'), y)).to.throw(RangeError, 'they do not broadcast');
    }
    expect(() => ops.logicalNot(1 as never)).to.throw(TypeError, 'x must be a Tensor of bool');
  });
});

describe('comparisons', () => {
  it('are constants to gradients, and choose in them', () => {
    const x = tensor([-2, 3, NaN]);
    const f = (): Tensor => ops.where(ops.logicalOr(ops.greater(x, 0), ops.isNan(x)), ops.square(x), 0);
    expect([...denseOf(gradients(f, [x])[0])]).to.deep.equal([-0, 6, NaN]);
  });

  it('give the same in what is compiled', () => {
    const f = ({ x, y }: { x: Tensor; y: Tensor }): Tensor =>
      ops.where(ops.logicalXor(ops.lessEqual(x, y), ops.isInf(x)), ops.mul(x, 2), ops.neg(y));
    const inputs = { x: { shape: [4, 1] }, y: { shape: [5] } } as const;
    const [x, y] = [tensor([0, 1, Infinity, NaN], [4, 1]), tensor([-1, 0, 1, 2, Infinity])];
    expect(compile(f, { inputs }).runSync({ x, y }).data).to.deep.equal(f({ x, y }).data);
  });
});
