import { expect } from 'chai';
import * as fc from 'fast-check';
import { clipByGlobalNorm, gradients, ops, tensor, type Tensor, type TensorLike } from 'gradstep';
import {
  awkwardSizes,
  denseOf,
  expectClose,
  expectFloat32,
  expectGradients,
  randomTensor,
} from '../../support/numeric-gradient';

type Binary = (x: TensorLike, y: TensorLike) => Tensor;

const special = [0, -0, 1, -1, 1e-300, -1e-300, 5e-324, 700, -700, 1e300, Infinity, -Infinity, NaN];

const smaller = (x: number, y: number): number => (x !== x || y !== y ? NaN : x < y ? x : y);
const larger = (x: number, y: number): number => (x !== x || y !== y ? NaN : x > y ? x : y);
const binary: Record<string, { op: Binary; of: (x: number, y: number) => number }> = {
  add: { op: ops.add, of: (x, y) => x + y },
  sub: { op: ops.sub, of: (x, y) => x - y },
  mul: { op: ops.mul, of: (x, y) => x * y },
  div: { op: ops.div, of: (x, y) => x / y },
  minimum: { op: ops.minimum, of: smaller },
  maximum: { op: ops.maximum, of: larger },
};

// Inputs whose ranges lie apart keep differences off the divisor 0 and the corners of minimum and maximum.
const away = { seed: 7, low: 2.5, high: 4 };

const pairs: [number[], number[]][] = [
  ...awkwardSizes.flatMap((n): [number[], number[]][] => [
    [[n], [n]],
    [[n], []],
    [[], [n]],
    [[n], [1]],
    [[3, n], [n]],
    [
      [3, 1],
      [1, n],
    ],
  ]),
  [[], []],
  [[1], []],
  [[1, 1], [1]],
  [
    [7, 3],
    [7, 1],
  ],
  [
    [7, 1],
    [7, 3],
  ],
  [
    [2, 3, 4],
    [3, 1],
  ],
  [
    [2, 1, 4],
    [3, 1],
  ],
  [
    [2, 3, 4, 5],
    [3, 1, 5],
  ],
  [
    [1, 3, 1, 5],
    [2, 1, 4, 1],
  ],
  [
    [2, 3, 1, 1],
    [4, 5],
  ],
  [
    [0, 3],
    [1, 3],
  ],
  [[1], [0]],
];

/** f over broadcast inputs, by the definition of broadcasting. */
function broadcast(x: Tensor, y: Tensor, f: (x: number, y: number) => number): { shape: number[]; values: number[] } {
  const rank = Math.max(x.shape.length, y.shape.length);
  const dim = (t: Tensor, d: number): number => t.shape[d - rank + t.shape.length] ?? 1;
  const shape = Array.from({ length: rank }, (_, d) => (dim(x, d) === 1 ? dim(y, d) : dim(x, d)));
  const at = (t: Tensor, index: number[]): number =>
    t.data[index.reduce((offset, i, d) => offset * dim(t, d) + (dim(t, d) === 1 ? 0 : i), 0)]!;
  const values: number[] = [];
  const walk = (index: number[]): void => {
    if (index.length === rank) values.push(f(at(x, index), at(y, index)));
    else for (let i = 0; i < shape[index.length]!; i++) walk([...index, i]);
  };
  walk([]);
  return { shape, values };
}

for (const [name, { op, of }] of Object.entries(binary)) {
  describe(name, () => {
    it('is the function, element by element, over inputs that broadcast either way', () => {
      for (const [left, right] of pairs) {
        const [x, y] = [randomTensor(left), randomTensor(right, { seed: 3 })];
        const [z, expected] = [op(x, y), broadcast(x, y, of)];
        expect(z.shape).to.deep.equal(expected.shape);
        expect([...z.data]).to.deep.equal(expected.values);
      }
    });

    it('knows zeros, infinities and NaN', () => {
      const x = tensor(special, [special.length, 1], 'float64');
      const y = tensor(special, [special.length], 'float64');
      expectClose(op(x, y).data, broadcast(x, y, of).values, 0);
    });

    it('has the gradients that differences show, summed over what was repeated', () => {
      for (const [left, right] of pairs) {
        expectGradients(op, [randomTensor(left), randomTensor(right, away)]);
        expectGradients(op, [randomTensor(left, away), randomTensor(right, { seed: 3, low: 0.5 })]);
      }
    });

    it('adds up the gradients of both sides when they are one tensor', () => {
      expectGradients((x) => op(x, ops.square(x)), [randomTensor([17], { low: 1.2 })]);
      const x = tensor([1, 2, 3]);
      const alone = gradients(() => op(x, 2), [x]);
      expect(denseOf(alone[0])).to.have.length(3);
      expect(denseOf(gradients(() => op(x, x), [x])[0])).to.deep.equal(
        Float32Array.from([1, 2, 3], (v) => ({ add: 2, sub: 0, mul: 2 * v, div: 0, minimum: 1, maximum: 1 })[name]!),
      );
    });

    it('does the same in float32, to its precision', () => {
      expectFloat32(op, [randomTensor([5, 17]), randomTensor([17], away)], 4e-6);
    });

    it('gives a bare number the dtype of the other side', () => {
      expect(op(1, Float64Array.of(2)).dtype).to.equal('float64');
      expect(op(Float64Array.of(2), 1).dtype).to.equal('float64');
      expect(op(1, 2).dtype).to.equal('float32');
      expect(op(1, 2).shape).to.deep.equal([]);
      expect(op(Float64Array.of(3), 0.1).data[0]).to.equal(of(3, 0.1));
    });

    it('refuses shapes that do not broadcast and dtypes that differ', () => {
      expect(() => op(tensor([1, 2, 3]), tensor([1, 2]))).to.throw(
        RangeError,
        'x has shape [3], y has shape [2]: they do not broadcast',
      );
      expect(() => op(tensor([], [0]), tensor([1, 2]))).to.throw(RangeError, 'x has shape [0], y has shape [2]');
      expect(() => op(Float32Array.of(1), Float64Array.of(1))).to.throw(
        TypeError,
        'x is float32 and y is float64; they must be the same',
      );
      expect(() => op(1, null as never)).to.throw(
        TypeError,
        'y must be a Tensor, a Variable, a typed array or a number',
      );
      expect(() => op({} as never, 1)).to.throw(TypeError, 'x must be a Tensor');
    });
  });
}

describe('minimum and maximum', () => {
  const corner = (op: Binary, x: number, y: number, gradYs = Float64Array.of(1)): [number, number] => {
    const inputs = [tensor(Float64Array.of(x)), tensor(Float64Array.of(y))];
    const [dx, dy] = gradients(() => op(inputs[0]!, inputs[1]!), inputs, { gradYs });
    return [denseOf(dx)[0]!, denseOf(dy)[0]!];
  };

  it('give the gradient of a tie to the first argument', () => {
    for (const op of [ops.minimum, ops.maximum]) {
      expect(corner(op, 2, 2)).to.deep.equal([1, 0]);
      expect(corner(op, 0, -0)).to.deep.equal([1, 0]);
      expect(corner(op, -0, 0)).to.deep.equal([1, 0]);
      expect(corner(op, Infinity, Infinity)).to.deep.equal([1, 0]);
    }
  });

  it('give it to the second where a comparison with NaN fails', () => {
    for (const op of [ops.minimum, ops.maximum]) {
      expect(corner(op, NaN, 1)).to.deep.equal([0, 1]);
      expect(corner(op, 1, NaN)).to.deep.equal([0, 1]);
    }
  });

  it('pass nothing of an infinite gradient to the other side', () => {
    expect(corner(ops.maximum, 2, 1, Float64Array.of(Infinity))).to.deep.equal([Infinity, 0]);
    expect(corner(ops.minimum, 2, 1, Float64Array.of(NaN))).to.deep.equal([0, NaN]);
  });
});

describe('broadcasting', () => {
  const dims = fc.array(fc.tuple(fc.integer({ min: 1, max: 4 }), fc.constantFrom('both', 'left', 'right')), {
    maxLength: 4,
  });

  it('agrees with its definition for any shapes that fit, and its gradients with differences', () => {
    fc.assert(
      fc.property(dims, fc.nat(4), fc.nat(4), (all, cutX, cutY) => {
        const side = (own: string, cut: number): number[] =>
          all.map(([size, who]) => (who === 'both' || who === own ? size : 1)).slice(Math.min(cut, all.length));
        const [x, y] = [randomTensor(side('left', cutX)), randomTensor(side('right', cutY), { seed: 5 })];
        const [z, expected] = [ops.sub(x, y), broadcast(x, y, (a, b) => a - b)];
        expect(z.shape).to.deep.equal(expected.shape);
        expect([...z.data]).to.deep.equal(expected.values);
        expectGradients(ops.mul, [x, y], 1e-6);
      }),
      { numRuns: 60 },
    );
  });
});

describe('a gradient times its factor', () => {
  it('is what an op reads', () => {
    const [clipped] = clipByGlobalNorm([tensor([3, 4])], 1)[0];
    expectClose(ops.add(clipped, 0).data, [0.6, 0.8], 1e-6);
    expectClose(ops.l2Loss(ops.reshape(clipped, [2, 1])).data, [0.5], 1e-6);
  });
});
