import { expect } from 'chai';
import * as fc from 'fast-check';
import { gradients, ops, tensor, type Tensor } from 'gradstep';
import { expectGradients, randomTensor } from '../../support/numeric-gradient';
import { bytesOf } from '../../support/parity';

type Layer = (x: Tensor, weights: Tensor, biases: Tensor) => Tensor;

const layers: { name: string; fused: Layer; plain: Layer }[] = [
  { name: 'xwPlusB', fused: ops.xwPlusB, plain: (x, w, b) => ops.add(ops.matMul(x, w), b) },
  { name: 'reluLayer', fused: ops.reluLayer, plain: (x, w, b) => ops.relu(ops.add(ops.matMul(x, w), b)) },
];

const dims = fc.integer({ min: 0, max: 40 });
const dtypes = fc.constantFrom('float32' as const, 'float64' as const);

for (const { name, fused, plain } of layers) {
  describe(name, () => {
    it('is what its three ops are, value and gradients, byte for byte', () => {
      fc.assert(
        fc.property(dims, dims, dims, dtypes, fc.nat(1e6), (rows, inputs, outputs, dtype, seed) => {
          const operands = [[rows, inputs], [inputs, outputs], [outputs]].map((shape, i) =>
            randomTensor(shape, { seed: seed + i, dtype }),
          ) as [Tensor, Tensor, Tensor];
          const gradYs = randomTensor([rows, outputs], { seed: seed + 3, dtype });
          const [one, other] = [fused, plain].map((layer) => [
            layer(...operands),
            ...gradients(() => layer(...operands), operands, { gradYs }),
          ]) as [Tensor[], Tensor[]];
          one.forEach((result, i) => {
            expect(result.shape).to.deep.equal(other[i]!.shape);
            expect(bytesOf([result.data])).to.equal(bytesOf([other[i]!.data]));
          });
        }),
      );
    });

    it('keeps NaN and infinities', () => {
      const x = tensor([[NaN], [Infinity], [1], [-1]]);
      const [w, b] = [tensor([[2, -2]]), tensor([0, 0])];
      expect(bytesOf([fused(x, w, b).data])).to.equal(bytesOf([plain(x, w, b).data]));
    });

    it('has the gradients that differences show', () => {
      expectGradients(fused, [randomTensor([3, 5]), randomTensor([5, 4], { seed: 2 }), randomTensor([4], { seed: 3 })]);
    });

    it('refuses shapes and dtypes that do not fit', () => {
      const [x, w, b] = [tensor([[1, 2]]), tensor([[1], [2]]), tensor([1])];
      expect(() => fused(tensor([1, 2]), w, b)).to.throw(RangeError, 'x has shape [2], expected [rows, inputs]');
      expect(() => fused(x, tensor([[1, 2]]), b)).to.throw(
        RangeError,
        'weights has shape [1, 2], expected [2, outputs]',
      );
      expect(() => fused(x, w, tensor([1, 2]))).to.throw(
        RangeError,
        'biases has shape [2], expected [1] to fit weights',
      );
      expect(() => fused(x, w, tensor(new Float64Array(1)))).to.throw(TypeError, 'x is float32 and biases is float64');
    });
  });
}
