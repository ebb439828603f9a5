import { expect } from 'chai';
import { gradients, ops, tensor, variable, type Tensor, type TensorLike } from 'gradstep';
import {
  awkwardSizes,
  denseOf,
  expectClose,
  expectFloat32,
  expectGradients,
  randomTensor,
} from '../../support/numeric-gradient';

type Unary = (x: TensorLike) => Tensor;

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

interface UnaryCase {
  op: Unary;
  of: (x: number) => number;
  /** The derivative, exactly, at points where differences say nothing. */
  at: readonly (readonly [x: number, derivative: number])[];
  /** Where the function is smooth. */
  low?: number;
}

const unary: Record<string, UnaryCase> = {
  neg: { op: ops.neg, of: (x) => -x, at: [[0, -1], [Infinity, -1], [NaN, -1]] }, // prettier-ignore
  square: { op: ops.square, of: (x) => x * x, at: [[0, 0], [-Infinity, -Infinity], [NaN, NaN]] }, // prettier-ignore
  sqrt: { op: ops.sqrt, of: Math.sqrt, at: [[0, Infinity], [Infinity, 0], [-1, NaN]], low: 0.1 }, // prettier-ignore
  exp: { op: ops.exp, of: Math.exp, at: [[0, 1], [-Infinity, 0], [Infinity, Infinity], [NaN, NaN]] }, // prettier-ignore
  log: { op: ops.log, of: Math.log, at: [[0, Infinity], [Infinity, 0], [1, 1]], low: 0.1 }, // prettier-ignore
  relu: { op: ops.relu, of: (x) => (x <= 0 ? 0 : x), at: [[0, 0], [-0, 0], [Infinity, 1], [-Infinity, 0], [NaN, 0]] }, // prettier-ignore
  sigmoid: { op: ops.sigmoid, of: sigmoid, at: [[0, 0.25], [Infinity, 0], [-Infinity, 0], [NaN, NaN]] }, // prettier-ignore
  tanh: { op: ops.tanh, of: Math.tanh, at: [[0, 1], [Infinity, 0], [-Infinity, 0], [NaN, NaN]] }, // prettier-ignore
  abs: { op: ops.abs, of: Math.abs, at: [[0, 0], [-0, 0], [-Infinity, -1], [Infinity, 1], [NaN, NaN]] }, // prettier-ignore
};

const special = [0, -0, 1, -1, 1e-300, -1e-300, 5e-324, 700, -700, 1e300, Infinity, -Infinity, NaN];

for (const [name, { op, of, at, low = -2 }] of Object.entries(unary)) {
  describe(name, () => {
    it('is the function, element by element, whatever the size and rank', () => {
      for (const shape of [[], ...awkwardSizes.map((n) => [n]), [3, 5], [2, 3, 4], [2, 1, 3, 3], [4, 0]]) {
        const x = randomTensor(shape, { low });
        const y = op(x);
        expect(y.shape).to.deep.equal(shape);
        expectClose(y.data, x.data.map(of), 1e-14);
      }
    });

    it('knows zeros, subnormal numbers, infinities and NaN', () => {
      expectClose(op(Float64Array.from(special)).data, special.map(of), 1e-13);
    });

    it('has the gradient that differences show', () => {
      for (const shape of [[], ...awkwardSizes.map((n) => [n]), [3, 5], [2, 1, 3, 3]]) {
        expectGradients(op, [randomTensor(shape, { low })]);
      }
    });

    it('has the right gradient at corners, poles and infinities', () => {
      const x = tensor(Float64Array.from(at, ([point]) => point));
      const [dx] = gradients(() => op(x), [x]);
      expectClose(denseOf(dx), at.map(([, derivative]) => derivative), 1e-15); // prettier-ignore
    });

    it('does the same in float32, to its precision', () => {
      expectFloat32(op, [randomTensor([33], { low })], 2e-6);
    });

    it('takes a variable, a typed array and a number', () => {
      const [value] = [Math.fround(low + 1.5)];
      const expected = [Math.fround(of(value))];
      expectClose(op(variable([value])).data, expected, 1e-6);
      expectClose(op(Float32Array.of(value)).data, expected, 1e-6);
      expect(op(value).shape).to.deep.equal([]);
      expectClose(op(value).data, expected, 1e-6);
    });

    it('refuses what is none of these', () => {
      expect(() => op('1' as never)).to.throw(
        TypeError,
        'x must be a Tensor, a Variable, a typed array or a number, got "1"',
      );
      expect(() => op([1, 2] as never)).to.throw(TypeError, 'got an array of 2');
    });
  });
}
