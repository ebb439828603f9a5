import { expect } from 'chai';
import * as fc from 'fast-check';
import { ops, tensor, type FloatArray } from 'gradstep';
import {
  awkwardSizes,
  expectClose,
  expectFloat32,
  expectGradients,
  randomTensor,
} from '../../support/numeric-gradient';

function logSoftmaxRows(x: FloatArray, columns: number): number[] {
  const y: number[] = [];
  for (let at = 0; at < x.length; at += columns) {
    const row = Array.from(x.subarray(at, at + columns));
    const top = Math.max(...row);
    const logZ = Math.log(row.reduce((sum, value) => sum + Math.exp(value - top), 0));
    y.push(...row.map((value) => value - top - logZ));
  }
  return y;
}

const softmaxRows = (x: FloatArray, columns: number): number[] => logSoftmaxRows(x, columns).map(Math.exp);

const shapes = [...awkwardSizes.map((n) => [3, n]), [1], [10], [2, 3, 4], [2, 1, 3, 5], [0, 4], [700, 31]];

for (const [name, op, rows] of [
  ['softmax', ops.softmax, softmaxRows],
  ['logSoftmax', ops.logSoftmax, logSoftmaxRows],
] as const) {
  describe(name, () => {
    it('is the function along the last dimension', () => {
      for (const shape of shapes) {
        const x = randomTensor(shape);
        const y = op(x);
        expect(y.shape).to.deep.equal(shape);
        expectClose(y.data, rows(x.data, shape.at(-1)!), 1e-14);
      }
    });

    it('has the gradient that differences show', () => {
      for (const shape of shapes.filter(([n]) => n! < 100)) expectGradients((x) => op(x), [randomTensor(shape)]);
    });

    it('works along another dimension just as well', () => {
      const x = randomTensor([2, 3, 4]);
      for (const [axis, swap] of [
        [0, [2, 1, 0]],
        [1, [0, 2, 1]],
        [-2, [0, 2, 1]],
        [2, [0, 1, 2]],
        [-1, [0, 1, 2]],
      ] as const) {
        const y = op(x, { axis });
        const last = ops.transpose(x, swap);
        expect(y.shape).to.deep.equal([2, 3, 4]);
        expectClose(ops.transpose(y, swap).data, rows(last.data, last.shape.at(-1)!), 1e-14);
        expectGradients((t) => op(t, { axis }), [x]);
      }
    });

    it('does not overflow', () => {
      const [far, near] = [Float64Array.of(1000, 999, -1000), Float64Array.of(1, 0, -1999)];
      expectClose(op(far).data, rows(near, 3), 1e-15);
      expectClose(op(Float32Array.of(1e38, -1e38)).data, name === 'softmax' ? [1, 0] : [0, -2e38], 1e-6);
    });

    it('gives a class of -Infinity no share, and NaN where the odds are none', () => {
      const impossible = name === 'softmax' ? 0 : -Infinity;
      const half = name === 'softmax' ? 0.5 : -Math.LN2;
      expectClose(op(Float64Array.of(2, -Infinity, 2)).data, [half, impossible, half], 1e-15);
      expect([...op(Float64Array.of(NaN, 1)).data]).to.deep.equal([NaN, NaN]);
      expect([...op(Float64Array.of(-Infinity, -Infinity)).data]).to.deep.equal([NaN, NaN]);
    });

    it('does the same in float32, to its precision', () => {
      expectFloat32((x) => op(x), [randomTensor([5, 33])], 2e-6);
    });

    it('refuses a number, an axis that x does not have and other kinds', () => {
      expect(() => op(1)).to.throw(RangeError, 'x has shape []: it must have at least one dimension');
      expect(() => op(tensor([1, 2]), { axis: 1 })).to.throw(
        RangeError,
        'axis must lie in [-1, 1) for 1 dimensions, got 1',
      );
      expect(() => op(tensor([1, 2]), { axis: 0.5 })).to.throw(TypeError, 'axis must be whole numbers, got 0.5');
      expect(() => op(tensor([1, 2]), { axis: '0' as never })).to.throw(TypeError, 'axis must be a number, got "0"');
      expect(() => op(tensor([1, 2]), 0 as never)).to.throw(TypeError, 'options must be an object, got 0');
      expect(() => op([1, 2] as never)).to.throw(TypeError, 'x must be a Tensor');
    });
  });
}

describe('softmax', () => {
  it('sums to one and ignores a shift of all odds', () => {
    const odds = fc.array(fc.double({ min: -50, max: 50, noNaN: true }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(odds, fc.double({ min: -50, max: 50, noNaN: true }), (x, shift) => {
        const y = ops.softmax(Float64Array.from(x));
        expect(ops.reduceSum(y).item()).to.be.closeTo(1, 1e-14);
        expectClose(ops.softmax(ops.add(Float64Array.from(x), shift)).data, y.data, 1e-13);
        expectClose(ops.exp(ops.logSoftmax(Float64Array.from(x))).data, y.data, 1e-13);
      }),
    );
  });
});
