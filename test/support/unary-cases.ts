import { expect } from 'chai';
import { gradients, ops, tensor, variable, type Tensor, type TensorLike } from 'gradstep';
import { awkwardSizes, denseOf, expectClose, expectFloat32, expectGradients, randomTensor } from './numeric-gradient';

export interface UnaryCase {
  /** Default: the op of the case's name. */
  op?: (x: TensorLike) => Tensor;
  of: (x: number) => number;
  /** The derivative, exactly, at points where differences say nothing. */
  at: readonly (readonly [x: number, derivative: number])[];
  /** Where the function is smooth. Default: from -2 to 2. */
  low?: number;
  high?: number;
  /** Of values, in float64. Default: 1e-14. */
  tolerance?: number;
}

const special = [0, -0, 1, -1, 1e-300, -1e-300, 5e-324, 700, -700, 1e300, Infinity, -Infinity, NaN];
const shapes = [[], ...awkwardSizes.map((n) => [n]), [3, 5], [2, 1, 3, 3]];

/** What an op that works element by element has to do, as one test each. */
export function describeUnary(
  name: string,
  { op: given, of, at, low = -2, high = 2, tolerance = 1e-14 }: UnaryCase,
): void {
  const op = given ?? (ops as unknown as Record<string, (x: TensorLike) => Tensor>)[name]!;
  describe(name, () => {
    it('is the function, element by element, whatever the size and rank', () => {
      for (const shape of [...shapes, [4, 0]]) {
        const x = randomTensor(shape, { low, high });
        const y = op(x);
        expect(y.shape).to.deep.equal(shape);
        expectClose(y.data, x.data.map(of), tolerance);
      }
    });

    it('knows zeros, subnormal numbers, infinities and NaN', () => {
      const [y, expected] = [op(Float64Array.from(special)).data, special.map(of)];
      expectClose(y, expected, tolerance * 10);
      const isNegative = (x: number): boolean => Object.is(Math.sign(x), -0) || x < 0;
      expect(isNegative(y[1]!), 'the sign of what is made of -0').to.equal(isNegative(expected[1]!));
    });

    it('has the gradient that differences show', () => {
      for (const shape of shapes) expectGradients(op, [randomTensor(shape, { low, high })]);
    });

    it('has the right gradient at corners, poles and infinities', () => {
      const x = tensor(Float64Array.from(at, ([point]) => point));
      const [dx] = gradients(() => op(x), [x]);
      const derivatives = at.map(([, derivative]) => derivative);
      expectClose(denseOf(dx), derivatives, tolerance);
    });

    it('does the same in float32, to its precision', () => {
      expectFloat32(op, [randomTensor([33], { low, high })], 4e-6);
    });

    it('takes a variable, a typed array and a number, and nothing else', () => {
      const value = Math.fround(low + 0.75 * (high - low));
      const expected = [Math.fround(of(value))];
      expectClose(op(variable([value])).data, expected, 1e-6);
      expectClose(op(Float32Array.of(value)).data, expected, 1e-6);
      expect(op(value).shape).to.deep.equal([]);
      expect(() => op('1' as never)).to.throw(
        TypeError,
        'x must be a Tensor, a Variable, a typed array or a number, got "1"',
      );
    });
  });
}
