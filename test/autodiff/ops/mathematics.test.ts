import { expect } from 'chai';
import { gradients, ops, tensor, type Tensor, type TensorLike } from 'gradstep';
import { denseOf, expectClose, expectFloat32, expectGradients, randomTensor } from '../../support/numeric-gradient';
import { erf, erfc } from '../../support/special-functions';
import { describeUnary, type UnaryCase } from '../../support/unary-cases';

const twoBySqrtPi = 2 / Math.sqrt(Math.PI);

const unary: Record<string, UnaryCase> = {
  sin: { of: Math.sin, at: [[0, 1], [-0, 1], [Infinity, NaN], [1e300, Math.cos(1e300)], [NaN, NaN]] }, // prettier-ignore
  cos: { of: Math.cos, at: [[0, 0], [-Infinity, NaN], [1e300, -Math.sin(1e300)]] }, // prettier-ignore
  tan: { of: Math.tan, at: [[0, 1], [Infinity, NaN]], low: -1.2, high: 1.2 }, // prettier-ignore
  asin: { of: Math.asin, at: [[0, 1], [1, Infinity], [-1, Infinity], [2, NaN]], low: -0.9, high: 0.9 }, // prettier-ignore
  acos: { of: Math.acos, at: [[0, -1], [1, -Infinity], [-1, -Infinity], [2, NaN]], low: -0.9, high: 0.9 }, // prettier-ignore
  atan: { of: Math.atan, at: [[0, 1], [Infinity, 0], [-Infinity, 0], [NaN, NaN]] }, // prettier-ignore
  sinh: { of: Math.sinh, at: [[0, 1], [Infinity, Infinity], [-Infinity, Infinity]] }, // prettier-ignore
  cosh: { of: Math.cosh, at: [[0, 0], [Infinity, Infinity], [-Infinity, -Infinity]] }, // prettier-ignore
  expm1: { of: Math.expm1, at: [[0, 1], [-Infinity, 0], [Infinity, Infinity]] }, // prettier-ignore
  log1p: { of: Math.log1p, at: [[0, 1], [-1, Infinity], [Infinity, 0], [1e-300, 1]], low: -0.8 }, // prettier-ignore
  reciprocal: { of: (x) => 1 / x, at: [[0, -Infinity], [Infinity, -0], [-2, -0.25]], low: 0.3 }, // prettier-ignore
  rsqrt: { of: (x) => 1 / Math.sqrt(x), at: [[0, -Infinity], [Infinity, -0], [4, -0.0625], [-1, NaN]], low: 0.3 }, // prettier-ignore
  erf: { of: erf, at: [[0, twoBySqrtPi], [Infinity, 0], [-Infinity, 0], [NaN, NaN]] }, // prettier-ignore
  erfc: { of: erfc, at: [[0, -twoBySqrtPi], [Infinity, -0], [-Infinity, -0]] }, // prettier-ignore
};
for (const [name, test] of Object.entries(unary)) describeUnary(name, test);

const halfToEven = (x: number): number => {
  const r = Math.round(x);
  return Math.abs(x % 1) === 0.5 && r % 2 !== 0 ? r - 1 : r;
};

describe('floor, ceil, round and sign', () => {
  const points = [0, -0, 0.5, -0.5, 1.5, -1.5, 2.5, 0.49999999999999994, -3.7, 2 ** 52 + 1, -1e300, Infinity, NaN];

  it('are what they say, signs of zero included', () => {
    const x = Float64Array.from(points);
    expect([...ops.floor(x).data]).to.deep.equal(points.map(Math.floor));
    expect([...ops.ceil(x).data]).to.deep.equal(points.map(Math.ceil));
    expect([...ops.round(x).data]).to.deep.equal(points.map(halfToEven));
    expect([...ops.sign(x).data]).to.deep.equal(points.map(Math.sign));
  });

  it('have no gradient, but sign, of which it is 0', () => {
    const x = tensor([0.5, -2, 0]);
    for (const op of [ops.floor, ops.ceil, ops.round]) {
      expect(gradients(() => op(x), [x])).to.deep.equal([null]);
      expect(denseOf(gradients(() => ops.add(x, op(x)), [x])[0])).to.deep.equal(Float32Array.of(1, 1, 1));
    }
    expect(denseOf(gradients(() => ops.sign(x), [x])[0])).to.deep.equal(Float32Array.of(0, 0, 0));
  });
});

type Binary = (x: TensorLike, y: TensorLike) => Tensor;
const floorMod = (x: number, y: number): number => {
  const r = x % y;
  return r !== 0 && r < 0 !== y < 0 ? r + y : r;
};
const noNan = (x: number, y: number): number => (y === 0 ? 0 : x / y);
const special = [0, -0, 1, -1, 2, -3, 0.5, 1e-300, -1e-300, 5e-324, 700, -700, 1e300, Infinity, -Infinity, NaN];

const binary: Record<string, { op: Binary; of: (x: number, y: number) => number; low: number; high: number }> = {
  pow: { op: ops.pow, of: (x, y) => (x === 1 || y === 0 ? 1 : Math.abs(x) === 1 && Math.abs(y) === Infinity ? 1 : x ** y), low: 0.5, high: 3 }, // prettier-ignore
  atan2: { op: ops.atan2, of: Math.atan2, low: 0.5, high: 3 },
  squaredDifference: { op: ops.squaredDifference, of: (x, y) => (x - y) * (x - y), low: -2, high: 2 },
  divNoNan: { op: ops.divNoNan, of: noNan, low: 0.5, high: 3 },
  floorDiv: { op: ops.floorDiv, of: (x, y) => Math.floor(x / y), low: 0.5, high: 3 },
  mod: { op: ops.mod, of: floorMod, low: 0.5, high: 3 },
};

for (const [name, { op, of, low, high }] of Object.entries(binary)) {
  describe(name, () => {
    it('is the function, element by element, over inputs that broadcast', () => {
      for (const [left, right] of [
        [[17], [17]],
        [[33], []],
        [[], [16]],
        [[3, 5], [5]],
        [
          [4, 1],
          [1, 9],
        ],
        [[0, 3], [3]],
      ] as const) {
        // prettier-ignore
        const [x, y] = [randomTensor(left, { low, high }), randomTensor(right, { low, high, seed: 4 })];
        const wide = [ops.add(x, ops.mul(y, 0)), ops.add(ops.mul(x, 0), y)] as const;
        const expected = wide[0].data.map((value, i) => of(value, wide[1].data[i]!));
        expect(op(x, y).shape).to.deep.equal(wide[0].shape);
        expectClose(op(x, y).data, expected, 4e-15);
      }
    });

    it('knows zeros, infinities and NaN', () => {
      const x = tensor(special, [special.length, 1], 'float64');
      const y = tensor(special, [special.length], 'float64');
      const expected = special.flatMap((a) => special.map((b) => of(a, b)));
      expectClose(op(x, y).data, expected, 1e-14);
      const signs = (values: ArrayLike<number>): boolean[] =>
        Array.from(values, (value, i) => expected[i] === 0 && Object.is(value, -0));
      if (name !== 'mod' && name !== 'divNoNan') expect(signs(op(x, y).data)).to.deep.equal(signs(expected));
    });

    if (name !== 'floorDiv') {
      it('has the gradients that differences show, summed over what was repeated', () => {
        for (const [left, right] of [
          [[17], [17]],
          [[33], []],
          [[3, 5], [5]],
          [
            [4, 1],
            [1, 9],
          ],
        ] as const) {
          const x = randomTensor(left, { low: low + (name === 'mod' ? 3 : 0), high: high + 3 });
          const y = randomTensor(right, { low: name === 'mod' ? 30 : low, high: name === 'mod' ? 40 : high, seed: 4 });
          expectGradients(op, [x, y], 1e-6);
        }
      });
    }

    it('does the same in float32, to its precision', () => {
      if (name === 'floorDiv') return;
      expectFloat32(op, [randomTensor([5, 17], { low, high }), randomTensor([17], { low, high, seed: 4 })], 1e-5);
    });
  });
}

/** The gradients of op by x and y at one point, times dz. */
function at(op: Binary, x: number, y: number, dz = 1): [number, number] {
  const inputs = [tensor(Float64Array.of(x)), tensor(Float64Array.of(y))];
  const [dx, dy] = gradients(() => op(inputs[0]!, inputs[1]!), inputs, { gradYs: Float64Array.of(dz) });
  return [denseOf(dx)[0]!, denseOf(dy)[0]!];
}

describe('gradients at special points', () => {
  it('of pow: by y it is 0 where x <= 0, by x it is 0 where y is', () => {
    expect(at(ops.pow, 0, 2)).to.deep.equal([0, 0]);
    expect(at(ops.pow, -2, 3)).to.deep.equal([12, 0]);
    expect(at(ops.pow, -2, 0.5)[0]).to.deep.equal(NaN);
    expect(at(ops.pow, 0, 0)).to.deep.equal([0, 0]);
    expect(at(ops.pow, 0, -1)).to.deep.equal([-Infinity, 0]);
    expect(at(ops.pow, 0, 1)).to.deep.equal([1, 0]);
    expect(at(ops.pow, 1, 5)).to.deep.equal([5, 0]);
    expect(at(ops.pow, Math.E, 0)).to.deep.equal([0, 1]);
  });

  it('of atan2: NaN at the origin', () => {
    expect(at(ops.atan2, 0, 0)).to.deep.equal([NaN, NaN]);
    expect(at(ops.atan2, 0, -1)).to.deep.equal([-1, -0]);
    expect(at(ops.atan2, 2, 0)).to.deep.equal([0, -0.5]);
  });

  it('of divNoNan: 0 where the divisor is', () => {
    expect(at(ops.divNoNan, 3, 0)).to.deep.equal([0, -0]);
    expect(at(ops.divNoNan, NaN, 0, Infinity).map(Math.abs)).to.deep.equal([0, NaN]);
  });

  it('of reciprocal, rsqrt and sqrt: 0 where theirs is 0, poles included', () => {
    const x = tensor(Float64Array.of(0));
    for (const op of [ops.reciprocal, ops.rsqrt, ops.sqrt]) {
      const [dx] = gradients(() => op(x), [x], { gradYs: Float64Array.of(0) });
      expect(Math.abs(denseOf(dx)[0]!)).to.equal(0);
    }
  });
});

describe('clip', () => {
  const points = Float64Array.of(-3, -1, -0.5, 0, 2, 5, Infinity, -Infinity, NaN);

  it('brings what lies outside to the bounds, and passes the gradient on of what does not', () => {
    const x = tensor(points);
    expect([...ops.clip(x, -1, 2).data]).to.deep.equal([-1, -1, -0.5, 0, 2, 2, 2, -1, NaN]);
    const [dx] = gradients(() => ops.clip(x, -1, 2), [x]);
    expect([...denseOf(dx)]).to.deep.equal([0, 1, 1, 1, 1, 0, 0, 0, 0]);
  });

  it('is maximum(minimum(x, high), low), with its gradient, for any bounds', () => {
    const [seven, dy] = [tensor([-2, -1, 0, 0.1, 0.5, 1, 3]), Float32Array.of(1, 2, 3, 4, 5, Infinity, NaN)];
    for (const [low, high] of [
      [-1, 1],
      [1, -1],
      [0.1, 0.1],
      [-Infinity, 0],
      [NaN, 1],
    ] as const) {
      // prettier-ignore
      const composed = (x: TensorLike): Tensor => ops.maximum(ops.minimum(x, high), low);
      if (low === low) expect(ops.clip(seven, low, high).data).to.deep.equal(composed(seven).data);
      const [fused] = gradients(() => ops.clip(seven, low, high), [seven], { gradYs: dy });
      const [plain] = gradients(() => composed(seven), [seven], { gradYs: dy });
      if (low === low) expect(denseOf(fused)).to.deep.equal(denseOf(plain));
    }
    expect(() => ops.clip(seven, '0' as never, 1)).to.throw(TypeError, 'low must be a number, got "0"');
  });
});
