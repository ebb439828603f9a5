import { expect } from 'chai';
import * as fc from 'fast-check';
import { gradients, ops, tensor, variable, type Tensor } from 'gradstep';
import { denseOf, expectFloat32, expectGradients, randomTensor } from '../../support/numeric-gradient';

describe('reshape', () => {
  const x = randomTensor([2, 3, 4]);

  it('keeps the values in their order', () => {
    for (const shape of [[24], [4, 6], [1, 24, 1], [2, 3, 4], [3, 2, 2, 2]]) {
      const y = ops.reshape(x, shape);
      expect(y.shape).to.deep.equal(shape);
      expect([...y.data]).to.deep.equal([...x.data]);
    }
    expect(ops.reshape(tensor([5]), []).item()).to.equal(5);
    expect(ops.reshape(tensor([], [0, 3]), [7, 0]).shape).to.deep.equal([7, 0]);
  });

  it('works out the one size that is -1', () => {
    expect(ops.reshape(x, [-1]).shape).to.deep.equal([24]);
    expect(ops.reshape(x, [6, -1]).shape).to.deep.equal([6, 4]);
    expect(ops.reshape(x, [2, -1, 12]).shape).to.deep.equal([2, 1, 12]);
    expect(ops.reshape(tensor([], [0, 3]), [-1, 3]).shape).to.deep.equal([0, 3]);
    expect(ops.reshape(3, [-1]).shape).to.deep.equal([1]);
  });

  it('copies nothing', () => {
    expect(ops.reshape(x, [-1]).data).to.equal(x.data);
    const kernel = variable([[1, 2], [3, 4]]); // prettier-ignore
    expect(ops.reshape(kernel, [-1]).data).to.equal(kernel.data);
  });

  it('has the gradient that differences show', () => {
    expectGradients((t) => ops.square(ops.reshape(t, [4, -1])), [x]);
    expectGradients((t) => ops.reshape(t, []), [randomTensor([1, 1])]);
    expectFloat32((t) => ops.reshape(t, [12, 2]), [x], 0);
  });

  it('gives a gradient in memory of its own', () => {
    const [dx, dy] = gradients(() => ops.add(ops.reshape(x, [24]), ops.reshape(x, [24])), [x, x]);
    expect((dx as Tensor).shape).to.deep.equal([2, 3, 4]);
    denseOf(dx).fill(9);
    expect(denseOf(dy)[0]).to.equal(2);
  });

  it('refuses a shape of another size, and what is none', () => {
    const refused = (shape: unknown, message: string, kind: ErrorConstructor = RangeError): void =>
      void expect(() => ops.reshape(x, shape as number[])).to.throw(kind, message);
    refused([5, 5], 'x has shape [2, 3, 4], shape is [5, 5]: sizes 24 and 25 must be equal');
    refused([5, -1], 'x has shape [2, 3, 4], shape is [5, -1]: 24 elements are no multiple of 5');
    refused([-1, -1], 'only one size can be -1');
    refused([0, -1], '-1 is undetermined beside a size of 0');
    refused([-2, 12], 'sizes must be whole numbers, or -1');
    refused([1.5, 16], 'sizes must be whole numbers, or -1');
    refused([NaN], 'sizes must be whole numbers, or -1');
    refused(['24'], 'shape must hold numbers, got "24"', TypeError);
    refused([undefined], 'shape must hold numbers, got undefined', TypeError);
    refused(24, 'shape must be an array of sizes, got 24', TypeError);
    expect(() => ops.reshape([1] as never, [1])).to.throw(TypeError, 'x must be a Tensor');
  });
});

/** y by its definition: y[i₀, i₁, ...] = x at the index that has iₑ at position perm[e]. */
function transposed(x: Tensor, perm: readonly number[]): number[] {
  const shape = perm.map((d) => x.shape[d]!);
  const values: number[] = [];
  const walk = (index: number[]): void => {
    if (index.length < perm.length) {
      for (let i = 0; i < shape[index.length]!; i++) walk([...index, i]);
    } else {
      const offset = x.shape.reduce((sum, dim, d) => sum * dim + index[perm.indexOf(d)]!, 0);
      values.push(x.data[offset]!);
    }
  };
  walk([]);
  return values;
}

function permutations(items: readonly number[]): number[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item) => permutations(items.filter((other) => other !== item)).map((rest) => [item, ...rest]));
}

describe('transpose', () => {
  const shapes = [[], [5], [17, 33], [33, 1], [0, 3], [2, 3, 4], [3, 1, 2], [2, 3, 1, 5]];

  it('puts dimensions in any order', () => {
    for (const shape of shapes) {
      for (const perm of permutations(shape.map((_, d) => d))) {
        const x = randomTensor(shape);
        const y = ops.transpose(x, perm);
        expect(y.shape).to.deep.equal(perm.map((d) => shape[d]));
        expect([...y.data]).to.deep.equal(transposed(x, perm));
      }
    }
  });

  it('reverses them by default', () => {
    for (const shape of shapes) {
      const x = randomTensor(shape);
      const reversed = shape.map((_, d) => d).reverse();
      expect(ops.transpose(x).shape).to.deep.equal([...shape].reverse());
      expect([...ops.transpose(x).data]).to.deep.equal(transposed(x, reversed));
    }
  });

  it('counts negative dimensions from the end', () => {
    const x = randomTensor([2, 3, 4]);
    expect(ops.transpose(x, [0, -1, -2]).shape).to.deep.equal([2, 4, 3]);
  });

  it('copies nothing where only dimensions of size 1 change places', () => {
    const x = randomTensor([1, 3, 1, 5]);
    expect(ops.transpose(x, [1, 0, 3, 2]).data).to.equal(x.data);
    expect(ops.transpose(x, [0, 1, 2, 3]).data).to.equal(x.data);
  });

  it('has the gradient that differences show', () => {
    for (const shape of shapes.filter((dims) => dims.length < 4)) {
      for (const perm of permutations(shape.map((_, d) => d))) {
        expectGradients((x) => ops.transpose(x, perm), [randomTensor(shape)]);
      }
    }
    expectFloat32((x) => ops.transpose(x), [randomTensor([17, 33])], 0);
  });

  it('is undone by the inverse order', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 5 }), fc.nat(), (shape, seed) => {
        const order = shape.map((_, d) => d).sort((a, b) => ((a * 7 + seed) % 5) - ((b * 7 + seed) % 5));
        const x = randomTensor(shape);
        const back = ops.transpose(
          ops.transpose(x, order),
          order.map((_, d) => order.indexOf(d)),
        );
        expect(back.shape).to.deep.equal(shape);
        expect([...back.data]).to.deep.equal([...x.data]);
      }),
    );
  });

  it('refuses what is no permutation', () => {
    const x = randomTensor([2, 3]);
    expect(() => ops.transpose(x, [0])).to.throw(
      RangeError,
      'x has shape [2, 3], perm is [0]: it must name every dimension',
    );
    expect(() => ops.transpose(x, [0, 0])).to.throw(RangeError, 'perm must not repeat, got [0, 0]');
    expect(() => ops.transpose(x, [0, 2])).to.throw(RangeError, 'perm must lie in [-2, 2) for 2 dimensions, got 2');
    expect(() => ops.transpose(x, [0, 0.5])).to.throw(TypeError, 'perm must be whole numbers, got 0.5');
    expect(() => ops.transpose(x, 1 as never)).to.throw(TypeError, 'perm must be an array');
    expect(() => ops.transpose(null as never)).to.throw(TypeError, 'x must be a Tensor');
  });
});

describe('identity', () => {
  it('is the same memory, and lets gradients through', () => {
    const x = randomTensor([3, 5]);
    expect(ops.identity(x).data).to.equal(x.data);
    expectGradients((t) => ops.square(ops.identity(t)), [x]);
  });

  it('gives a gradient in memory of its own', () => {
    const [x, gradYs] = [tensor([1, 2]), tensor([3, 4])];
    const [dx] = gradients(() => ops.identity(x), [x], { gradYs });
    denseOf(dx).fill(0);
    expect(gradYs.toArray()).to.deep.equal([3, 4]);
  });
});

describe('stopGradient', () => {
  it('is the same memory, and lets no gradient through', () => {
    const x = tensor([1, 2]);
    expect(ops.stopGradient(x).data).to.equal(x.data);
    expect(gradients(() => ops.stopGradient(x), [x])).to.deep.equal([null]);
    const [dx] = gradients(() => ops.mul(x, ops.stopGradient(x)), [x]);
    expect([...denseOf(dx)]).to.deep.equal([1, 2]);
  });
});
