import { expect } from 'chai';
import * as fc from 'fast-check';
import { gradients, ops, tensor, type Tensor } from 'gradstep';
import { eachPixel, windows } from '../../support/convolutions';
import { denseOf, expectClose, expectGradients, randomTensor } from '../../support/numeric-gradient';
import { bytesOf } from '../../support/parity';

type Options = NonNullable<Parameters<typeof ops.maxPool>[2]>;
type Size = Parameters<typeof ops.maxPool>[1];

/** What each window sees, channel by channel. */
function seen(
  x: Tensor,
  size: Size,
  { strides = size, padding = 'VALID' }: Options,
): { shape: number[]; values: number[][] } {
  const [images, height, width, channels] = x.shape as [number, number, number, number];
  const window = typeof size === 'number' ? ([size, size] as const) : size;
  const [down, across] = windows([height, width], window, strides, 1, padding);
  const shape = [images, down.outputs, across.outputs, channels];
  const values = Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (): number[] => []);
  eachPixel(images, [height, width], window, [down, across], (position, pixel) => {
    for (let c = 0; c < channels; c++) values[position * channels + c]!.push(x.data[pixel * channels + c]!);
  });
  return { shape, values };
}

const cases: { name: string; x: number[]; size: Size; options: Options }[] = [
  { name: 'windows side by side', x: [2, 4, 6, 3], size: 2, options: {} },
  { name: 'a rest that no window sees', x: [1, 5, 7, 17], size: [2, 3], options: {} },
  { name: 'windows over each other', x: [2, 6, 5, 2], size: 3, options: { strides: 1 } },
  { name: 'SAME', x: [2, 6, 5, 16], size: 3, options: { strides: 2, padding: 'SAME' } },
  { name: 'SAME, stride over the window', x: [1, 9, 8, 2], size: 2, options: { strides: [3, 4], padding: 'SAME' } },
  { name: 'given zeros', x: [1, 5, 4, 2], size: 3, options: { strides: 2, padding: [[2, 1], [0, 2]] } }, // prettier-ignore
  { name: 'no images', x: [0, 4, 4, 2], size: 2, options: {} },
  { name: 'no channels', x: [2, 4, 4, 0], size: 2, options: {} },
  { name: 'no window', x: [2, 1, 4, 2], size: 2, options: {} },
];

const pools = [
  { name: 'maxPool', pool: ops.maxPool, of: (values: number[]) => Math.max(...values) },
  { name: 'avgPool', pool: ops.avgPool, of: (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length },
];

for (const { name, pool, of } of pools) {
  describe(name, () => {
    for (const { name, x, size, options } of cases) {
      it(`is what its definition says, and its gradient what differences show: ${name}`, () => {
        const images = randomTensor(x);
        const { shape, values } = seen(images, size, options);
        const y = pool(images, size, options);
        expect(y.shape).to.deep.equal(shape);
        expectClose(y.data, values.map(of), 1e-15);
        expectGradients((x) => pool(x, size, options), [images]);
      });
    }

    it('agrees with the definition for any sizes, in both dtypes', () => {
      const number = fc.integer({ min: 1, max: 4 });
      const dim = fc.integer({ min: 4, max: 12 });
      const description = fc.record({
        shape: fc.tuple(number, dim, dim, fc.constantFrom(1, 3, 15, 16, 17, 70)),
        size: fc.tuple(number, number),
        strides: fc.tuple(number, number),
        padding: fc.constantFrom('SAME' as const, 'VALID' as const),
        dtype: fc.constantFrom('float32' as const, 'float64' as const),
      });
      fc.assert(
        fc.property(description, ({ shape, size, dtype, ...options }) => {
          const x = randomTensor(shape, { dtype });
          expectClose(pool(x, size, options).data, seen(x, size, options).values.map(of), 1e-6);
        }),
        { numRuns: 60 },
      );
    });

    it('refuses what does not fit', () => {
      const x = randomTensor([1, 4, 4, 2]);
      expect(() => pool(randomTensor([4, 4, 2]), 2)).to.throw(RangeError, 'x has shape [4, 4, 2], expected [images');
      expect(() => pool(x, 0)).to.throw(RangeError, 'size must be a positive whole number, got 0');
      expect(() => pool(x, undefined as never)).to.throw(TypeError, 'size must be a number or [down, across]');
      expect(() => pool(x, 6, { strides: 1 })).to.throw(
        RangeError,
        'a window of 6 must not be larger than the image with its padding, 4',
      );
      expect(() => pool(x, 2, { strides: -1 })).to.throw(RangeError, 'strides must be a positive whole number, got -1');
      expect(() => pool(x, 2, { padding: [[2, 0], [0, 0]] })).to.throw(RangeError, 'padding must be smaller than the window, [2, 2], got [2, 0]'); // prettier-ignore
      expect(() => pool(x, 2, { size: 2 } as never)).to.throw(TypeError, "there is no 'size'");
      expect(() => pool(x, 2, 2 as never)).to.throw(TypeError, 'options must be an object, got 2');
    });
  });
}

describe('maxPool', () => {
  it('sends the gradient to the first of the largest, and to the first NaN', () => {
    const x = tensor([1, 3, 3, 3, NaN, 2, 5, NaN, -Infinity, -Infinity, 0, -0], [1, 6, 2, 1]);
    const y = ops.maxPool(x, 2);
    expect([...y.data]).to.deep.equal([3, NaN, 0]);
    const [dx] = gradients(() => ops.maxPool(x, 2), [x], { gradYs: tensor([10, 20, 30], [1, 3, 1, 1]) });
    expect([...denseOf(dx)]).to.deep.equal([0, 10, 0, 0, 20, 0, 0, 0, 0, 0, 30, 0]);
    expect(ops.maxPool(tensor([-0, 0], [1, 1, 2, 1]), [1, 2]).data[0]).to.equal(-0);
    const lowest = tensor(new Float32Array(4).fill(-Infinity), [1, 2, 2, 1]);
    const [d] = gradients(() => ops.maxPool(lowest, 2), [lowest]);
    expect([...denseOf(d)]).to.deep.equal([1, 0, 0, 0]);
  });
});

describe('global pools', () => {
  it('take the mean and the largest of each channel of each image', () => {
    for (const keepDims of [false, true]) {
      const x = randomTensor([2, 3, 5, 17]);
      const { values } = seen(x, [3, 5], {});
      const [mean, largest] = [ops.globalAveragePool(x, { keepDims }), ops.globalMaxPool(x, { keepDims })];
      for (const y of [mean, largest]) expect(y.shape).to.deep.equal(keepDims ? [2, 1, 1, 17] : [2, 17]);
      expectClose(mean.data, values.map(pools[1]!.of), 1e-14);
      expect(bytesOf([largest.data])).to.equal(bytesOf([Float64Array.from(values.map(pools[0]!.of))]));
      expectGradients((x) => ops.globalAveragePool(x, { keepDims }), [x]);
      expectGradients((x) => ops.globalMaxPool(x, { keepDims }), [x]);
    }
  });

  it('refuse what does not fit', () => {
    for (const pool of [ops.globalAveragePool, ops.globalMaxPool]) {
      expect(() => pool(tensor([1]))).to.throw(RangeError, 'x has shape [1], expected [images');
      expect(() => pool(randomTensor([1, 2, 2, 1]), { keepDims: 1 as never })).to.throw(TypeError, 'keepDims must be');
      expect(() => pool(randomTensor([1, 2, 2, 1]), { axis: 1 } as never)).to.throw(TypeError, "there is no 'axis'");
    }
    expect(() => ops.globalMaxPool(randomTensor([1, 0, 2, 1]))).to.throw(RangeError, 'it must have pixels');
  });
});

describe('biasAdd', () => {
  it('adds one bias to all but the last dimension', () => {
    for (const shape of [
      [2, 3],
      [4, 2, 3, 17],
      [0, 5],
      [3, 0],
    ]) {
      const [x, bias] = [randomTensor(shape), randomTensor([shape.at(-1)!], { seed: 2 })];
      expect(bytesOf([ops.biasAdd(x, bias).data])).to.equal(bytesOf([ops.add(x, bias).data]));
      expectGradients((x, bias) => ops.biasAdd(x, bias), [x, bias]);
    }
  });

  it('refuses what does not fit', () => {
    const x = randomTensor([2, 3]);
    expect(() => ops.biasAdd(tensor([1, 2]), tensor([1, 2]))).to.throw(
      RangeError,
      'it must have at least two dimensions',
    );
    expect(() => ops.biasAdd(x, randomTensor([2]))).to.throw(RangeError, 'bias has shape [2], expected [3] to fit x');
    expect(() => ops.biasAdd(x, randomTensor([1, 3]))).to.throw(RangeError, 'bias has shape [1, 3], expected [3]');
    expect(() => ops.biasAdd(x, tensor([1, 2, 3]))).to.throw(TypeError, 'x is float64 and bias is float32');
  });
});
