import { expect } from 'chai';
import * as fc from 'fast-check';
import { AggregationMethod, gradients, IndexedSlices, ops, tensor, variable, type Tensor } from 'gradstep';
import { denseOf, expectClose, expectGradients, randomTensor } from '../support/numeric-gradient';

const methods = [
  AggregationMethod.ADD_N,
  AggregationMethod.EXPERIMENTAL_TREE,
  AggregationMethod.EXPERIMENTAL_ACCUMULATE_N,
];

const sum = (terms: Tensor[]): Tensor => terms.reduce((total, term) => ops.add(total, term));

describe('the gradient of a tensor that feeds several ops', () => {
  it('is the sum over all of them, however it is aggregated', () => {
    for (const aggregationMethod of methods) {
      const x = tensor(1);
      const z = (): Tensor => {
        const y = ops.mul(x, 2);
        return sum(Array.from({ length: 10 }, () => ops.identity(y)));
      };
      expect(denseOf(gradients(z, [x], { aggregationMethod })[0])).to.deep.equal(Float32Array.of(20));
    }
  });

  it('is the same whatever the aggregation method, up to rounding', () => {
    for (let uses = 1; uses <= 5; uses++) {
      const x = randomTensor([17, 3]);
      const f = (): Tensor => sum(Array.from({ length: uses }, (_, i) => ops.mul(ops.tanh(x), i + 1)));
      const [first, ...others] = methods.map((aggregationMethod) =>
        denseOf(gradients(f, [x], { aggregationMethod })[0]),
      );
      for (const other of others) expectClose(other, first!, 1e-14);
    }
  });

  it('mixes sparse and dense terms under every method', () => {
    const table = variable([[1, 2], [3, 4]]); // prettier-ignore
    for (const aggregationMethod of methods) {
      const f = (): Tensor =>
        sum([ops.gather(table, [1, 1]), table.value, ops.gather(table, [0, 1])].map((t) => ops.identity(t)));
      const [gradient] = gradients(f, [table], { aggregationMethod });
      expect([...denseOf(gradient)]).to.deep.equal([2, 2, 4, 4]);
    }
  });

  it('follows a diamond of ops back to its start', () => {
    expectGradients(
      (x) => {
        const [left, right] = [ops.exp(x), ops.square(x)];
        return ops.mul(ops.add(left, right), ops.sub(left, ops.tanh(right)));
      },
      [randomTensor([15])],
    );
  });

  it('flows through a long chain', () => {
    const x = tensor(Float64Array.of(1));
    const [dx] = gradients(() => Array.from({ length: 2000 }).reduce<Tensor>((y) => ops.mul(y, 1.001), x), [x]);
    expectClose(denseOf(dx), [1.001 ** 2000], 1e-12);
  });
});

describe('gradients', () => {
  it('are null for what the ys do not depend on', () => {
    const [x, unused, constant] = [tensor([1]), tensor([2]), tensor([3])];
    const found = gradients(() => (ops.square(unused), ops.mul(x, ops.stopGradient(constant))), [x, unused, constant]);
    expect(found[0]).not.to.equal(null);
    expect(found.slice(1)).to.deep.equal([null, null]);
    expect(gradients(() => tensor(1), [x])).to.deep.equal([null]);
  });

  it('come in the order of the xs, one for each mention', () => {
    const [x, w] = [tensor([2]), variable([3])];
    const found = gradients(() => ops.mul(x, w), [w, x, w]);
    expect(found.map((gradient) => denseOf(gradient)[0])).to.deep.equal([2, 3, 2]);
  });

  it('of a tensor with respect to itself are ones', () => {
    const x = randomTensor([2, 3]);
    expect([...denseOf(gradients(() => x, [x])[0])]).to.deep.equal([1, 1, 1, 1, 1, 1]);
  });

  it('of many values are those of their sum, or as gradYs weighs them', () => {
    const x = tensor([1, 2, 3]);
    expect([...denseOf(gradients(() => ops.square(x), [x])[0])]).to.deep.equal([2, 4, 6]);
    for (const gradYs of [tensor([1, 0, -1]), Float32Array.of(1, 0, -1)]) {
      expect([...denseOf(gradients(() => ops.square(x), [x], { gradYs })[0])]).to.deep.equal([2, 0, -6]);
    }
  });

  it('are taken of variables that are not trainable too, when asked for by name', () => {
    const w = variable([3], { trainable: false });
    expect(denseOf(gradients(() => ops.square(w), [w])[0])[0]).to.equal(6);
  });

  it('are null for xs that no op can follow, empty for no xs', () => {
    expect(gradients(() => ops.square(tensor(2)), [])).to.deep.equal([]);
  });

  it('are linear in gradYs', () => {
    const values = fc.array(fc.integer({ min: -8, max: 8 }), { minLength: 5, maxLength: 5 });
    fc.assert(
      fc.property(values, values, fc.integer({ min: -4, max: 4 }), (a, b, factor) => {
        const x = randomTensor([5]);
        const of = (weights: number[]): ArrayLike<number> =>
          denseOf(gradients(() => ops.sigmoid(x), [x], { gradYs: Float64Array.from(weights) })[0]);
        const [da, db] = [of(a), of(b)];
        expectClose(
          of(a.map((value, i) => value + factor * b[i]!)),
          Array.from(da, (d, i) => d + factor * db[i]!),
          1e-13,
        );
      }),
    );
  });

  it('own their memory: changing one in place changes nothing else', () => {
    const [v1, v2] = [variable([1, 2]), variable([3, 4])];
    const [d1, d2] = gradients(() => ops.add(v1, v2), [v1, v2]);
    denseOf(d1).fill(9);
    expect([...denseOf(d2)]).to.deep.equal([1, 1]);

    const gradYs = ops.add(tensor([5, 6]), 0);
    const [handedOn] = gradients(() => ops.add(v1, v2), [v1], { gradYs });
    denseOf(handedOn).fill(9);
    expect([...gradYs.data]).to.deep.equal([5, 6]);
    (handedOn as Tensor).dispose();
    expect([...gradYs.data]).to.deep.equal([5, 6]);
  });

  it('outlive the step, sparse ones too', () => {
    const table = variable([[1, 2], [3, 4]]); // prettier-ignore
    const found = Array.from({ length: 3 }, () => gradients(() => ops.square(ops.gather(table, [1])), [table])[0]!);
    for (const gradient of found) {
      expect(gradient).to.be.instanceOf(IndexedSlices);
      expect((gradient as IndexedSlices).values.toArray()).to.deep.equal([[6, 8]]);
    }
  });

  it('ask no op for the gradient of an input that needs none', () => {
    const [x, w] = [tensor([[NaN, Infinity]]), variable([[1], [1]])];
    const [dw] = gradients(() => ops.matMul(ops.stopGradient(x), w), [w]);
    expect([...denseOf(dw)]).to.deep.equal([NaN, Infinity]);
  });
});

describe('a step', () => {
  const x = tensor([1, 2]);
  const works = (): void => expect([...denseOf(gradients(() => ops.square(x), [x])[0])]).to.deep.equal([2, 4]) as never;

  it('leaves no tape open when the function throws', () => {
    const failure = new Error('no such batch');
    expect(() =>
      gradients(() => {
        ops.square(x);
        throw failure;
      }, [x]),
    ).to.throw(failure);
    works();
  });

  it('leaves none open when a way back throws', () => {
    expect(() =>
      gradients(() => {
        const y = ops.exp(x);
        const z = ops.reduceSum(y);
        y.dispose();
        return z;
      }, [x]),
    ).to.throw(Error, 'this tensor has been disposed of');
    works();
  });

  it('goes on as if nothing had been asked where other gradients are computed meanwhile', () => {
    const [outer] = gradients(() => {
      const y = ops.square(x);
      const [inner] = gradients(() => ops.square(x), [x]);
      expect([...denseOf(inner)]).to.deep.equal([2, 4]);
      return ops.mul(y, x);
    }, [x]);
    expect([...denseOf(outer)]).to.deep.equal([3, 12]);
  });

  it('refuses a function that returns no tensor', () => {
    const refused = (ys: () => unknown, message: string): void =>
      void expect(() => gradients(ys as () => Tensor, [x])).to.throw(TypeError, message);
    refused(() => Promise.resolve(x), 'ys must return a Tensor, got a Promise; it cannot be async');
    refused(() => 3, 'ys must return a Tensor, got 3');
    refused(() => undefined, 'ys must return a Tensor, got undefined');
    refused(() => variable(1), 'ys must return a Tensor, got a Variable');
    works();
  });

  it('refuses arguments of a wrong kind', () => {
    expect(() => gradients(x as never, [x])).to.throw(TypeError, 'ys must be a function, got a Tensor');
    expect(() => gradients(() => x, x as never)).to.throw(TypeError, 'xs must be an array, got a Tensor');
    expect(() => gradients(() => x, [1] as never)).to.throw(TypeError, 'xs must hold Tensors and Variables, got 1');
    expect(() => gradients(() => x, [x], 1 as never)).to.throw(TypeError, 'options must be an object, got 1');
    expect(() => gradients(() => x, [x], { aggregationMethod: 3 as never })).to.throw(
      RangeError,
      'aggregationMethod must be one of',
    );
    expect(() => gradients(() => x, [x], { gradYs: [1] as never })).to.throw(
      TypeError,
      'gradYs must be a Tensor or a typed array, got an array of 1',
    );
    works();
  });

  it('refuses gradYs of another shape or dtype', () => {
    expect(() => gradients(() => x, [x], { gradYs: Float32Array.of(1) })).to.throw(
      RangeError,
      'gradYs has shape [1], ys has shape [2]: they must be equal',
    );
    expect(() => gradients(() => x, [x], { gradYs: Float64Array.of(1, 2) })).to.throw(
      TypeError,
      'gradYs is float64 and ys is float32; they must be the same',
    );
    works();
  });
});
