import { expect } from 'chai';
import fc from 'fast-check';
import {
  AdamOptimizer,
  clipByGlobalNorm,
  customGradient,
  gradients,
  IndexedSlices,
  ops,
  Tensor,
  tensor,
  tidy,
  variable,
  type AnyTensor,
  type BoolTensor,
  type Int32Tensor,
} from 'gradstep';

const notFloats = 'ops.cast makes it one';

describe('instanceof Tensor', () => {
  it('says of what may be anything that it is a tensor of some type, and no more', () => {
    const isOfFloats = (value: unknown): boolean => {
      if (!(value instanceof Tensor)) return false;
      const { dtype }: AnyTensor = value;
      // @ts-expect-error: it may be of int32 or bool
      const floats: Tensor = value;
      return floats.dtype === dtype && dtype.startsWith('float');
    };
    expect([tensor([1]), tensor([true]), [1], null, variable([1])].map(isOfFloats)).to.deep.equal([true, false, false, false, false]); // prettier-ignore
    const either = (value: Tensor | number): number => (value instanceof Tensor ? value.size : value);
    expect([either(tensor([1, 2])), either(7)]).to.deep.equal([2, 7]);
  });
});

describe('a tensor of int32', () => {
  it('has whole numbers of 32 bits, from numbers and typed arrays', () => {
    const labels: Int32Tensor = tensor([[1, -2], [3, 2 ** 31 - 1]], undefined, 'int32'); // prettier-ignore
    expect([labels.dtype, labels.shape, labels.size]).to.deep.equal(['int32', [2, 2], 4]);
    expect(labels.data).to.deep.equal(Int32Array.of(1, -2, 3, 2 ** 31 - 1));
    expect(labels.toArray()).to.deep.equal([[1, -2], [3, 2 ** 31 - 1]]); // prettier-ignore
    expect(tensor(Int32Array.of(1, 2)).dtype).to.equal('int32');
    expect(tensor(Float64Array.of(1, 2), [2, 1], 'int32').toArray()).to.deep.equal([[1], [2]]);
    expect(tensor(Int32Array.of(1, 2), [2], 'float64').data).to.deep.equal(Float64Array.of(1, 2));
    expect(tensor(-7, [], 'int32').item()).to.equal(-7);
    expect(Object.is(tensor([-0], [1], 'int32').item(), 0)).to.equal(true);
  });

  it('refuses others', () => {
    for (const bad of [0.5, NaN, Infinity, 2 ** 31, -(2 ** 31) - 1]) {
      expect(() => tensor([bad], [1], 'int32')).to.throw(RangeError, 'values must hold whole numbers of 32 bits');
      expect(() => tensor(Float64Array.of(bad), [1], 'int32')).to.throw(RangeError, `got ${bad}`);
    }
    expect(() => tensor([true] as never, [1], 'int32')).to.throw(TypeError, 'values must hold numbers, got true');
    expect(() => tensor([1, 2], [3], 'int32')).to.throw(RangeError, 'values has 2 elements, shape [3] needs 3');
  });
});

describe('a tensor of bool', () => {
  it('has true and false, from booleans, 0 and 1', () => {
    const mask: BoolTensor = tensor([[true, false], [false, true]]); // prettier-ignore
    expect([mask.dtype, mask.shape, [...mask.data]]).to.deep.equal(['bool', [2, 2], [1, 0, 0, 1]]);
    expect(mask.toArray()).to.deep.equal([[true, false], [false, true]]); // prettier-ignore
    expect(tensor(Uint8Array.of(0, 1), [2], 'bool').toArray()).to.deep.equal([false, true]);
    expect(tensor([0, 1], [2], 'bool').toArray()).to.deep.equal([false, true]);
    expect(tensor(true).item()).to.equal(true);
    expect(tensor([], [0], 'bool').toArray()).to.deep.equal([]);
  });

  it('refuses others', () => {
    expect(() => tensor([2], [1], 'bool')).to.throw(RangeError, 'values must hold booleans, or 0 and 1, got 2');
    expect(() => tensor(Uint8Array.of(7), [1], 'bool')).to.throw(RangeError, 'got 7');
    expect(() => tensor(Uint8Array.of(1) as never)).to.throw(TypeError, 'values is a Uint8Array: dtype must say');
    expect(() => tensor([true, 'x'] as never)).to.throw(TypeError, 'values must hold booleans, got "x"');
    expect(() => tensor([1, true] as never)).to.throw(TypeError, 'values must hold numbers, got true');
    expect(() => tensor(null as never, [], 'bool')).to.throw(
      TypeError,
      'values must be numbers, booleans or a typed array',
    );
  });
});

describe('what is no float', () => {
  const ints = tensor([1, 2], [2], 'int32') as AnyTensor as Tensor;
  const mask = tensor([true, false]) as AnyTensor as Tensor;
  const w = variable([1, 2]);

  it('is refused wherever numbers are computed with', () => {
    const calls: (() => unknown)[] = [
      () => ops.add(ints, 1),
      () => ops.mul(w, mask),
      () => ops.relu(mask),
      () => ops.reduceSum(ints),
      () => ops.matMul(ints, ints),
      () => ops.softmax(ints),
      () => variable(ints),
      () => w.assign(mask),
      () => gradients(() => ints, [w]),
      () => gradients(() => ops.square(w), [ints]),
      () => gradients(() => ops.square(w), [w], { gradYs: ints }),
      () => new AdamOptimizer().applyGradients([[ints, w]]),
      () => new IndexedSlices(ints, [0, 1]),
      () => clipByGlobalNorm([ints], 1),
      () => gradients(() => customGradient((_: Tensor) => ({ value: mask, gradient: (dy) => [dy] }))(w), [w]),
    ];
    for (const call of calls) expect(call, String(call)).to.throw(TypeError, notFloats);
    expect(w.toArray()).to.deep.equal([1, 2]);
  });

  it('lets nothing flow through', () => {
    const [direct, cast] = gradients(() => ops.add(ops.cast(ops.cast(w, 'int32'), 'float32'), w), [w, variable(1)]);
    expect((direct as Tensor).toArray()).to.deep.equal([1, 1]);
    expect(cast).to.equal(null);
    expect(gradients(() => ops.cast(ops.argMax(w), 'float32'), [w])).to.deep.equal([null]);
  });

  it('lives and goes as any tensor does', () => {
    let inside: Int32Tensor | undefined;
    const kept = tidy(() => {
      inside = ops.range(3);
      return ops.oneHot(inside, 3, { dtype: 'bool' });
    });
    expect(() => inside!.data).to.throw(Error, 'intermediate result');
    expect(kept.toArray()[0 as never]).to.deep.equal([true, false, false]);
    kept.dispose();
    expect(() => kept.toArray()).to.throw(Error, 'disposed of');
    expect(tidy(() => [ops.argMax(Float32Array.of(1, 3, 2))])[0]!.item()).to.equal(1);
  });
});

describe('indices', () => {
  const table = variable([[1, 2], [3, 4], [5, 6]]); // prettier-ignore

  it('may be a tensor of int32, of any shape', () => {
    const rows = tensor([[2, 0], [1, 1]], undefined, 'int32'); // prettier-ignore
    const y = ops.gather(table, rows);
    expect(y.toArray()).to.deep.equal([[[5, 6], [1, 2]], [[3, 4], [3, 4]]]); // prettier-ignore
    const [gradient] = gradients(() => ops.gather(table, rows), [table]);
    expect(gradient).to.be.instanceOf(IndexedSlices);
    expect([...(gradient as IndexedSlices).indices]).to.deep.equal([2, 0, 1, 1]);
    expect((gradient as IndexedSlices).toDense().toArray()).to.deep.equal([[1, 1], [2, 2], [1, 1]]); // prettier-ignore
    const loss = ops.sparseSoftmaxCrossEntropyWithLogits(tensor([1, 0, 1], [3], 'int32'), table);
    expect(loss.shape).to.deep.equal([3]);
    expect([...new IndexedSlices([[1, 1]], tensor([2], [1], 'int32'), [3, 2]).indices]).to.deep.equal([2]);
  });

  it('may be changed afterwards: what was computed has its own', () => {
    const rows = tensor([2], [1], 'int32');
    const [gradient] = gradients(() => {
      const y = ops.gather(table, rows);
      rows.data[0] = 0;
      return y;
    }, [table]);
    expect([...(gradient as IndexedSlices).indices]).to.deep.equal([2]);
  });

  it('may be of no other type', () => {
    const floats = tensor([1]) as AnyTensor as Int32Tensor;
    expect(() => ops.gather(table, floats)).to.throw(TypeError, 'indices is float32, expected int32');
    expect(() => ops.oneHot(tensor([true]) as AnyTensor as Int32Tensor, 2)).to.throw(TypeError, 'indices is bool');
    expect(() => ops.gather(table, tensor([3], [1], 'int32'))).to.throw(RangeError, 'indices[0] is 3, expected 0 to 3');
  });
});

describe('cast', () => {
  it('goes from every type to every type, as JavaScript would', () => {
    const special = [
      0,
      -0,
      1,
      -1,
      0.5,
      -1.5,
      2.9,
      1e10,
      -1e10,
      2 ** 31 - 1,
      NaN,
      Infinity,
      -Infinity,
      5e-324,
      16777217,
    ];
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.double(), fc.integer(), fc.constantFrom(...special)), { maxLength: 40 }),
        (list) => {
          for (const from of ['float32', 'float64'] as const) {
            const x = tensor(list, [list.length], from);
            const values = [...x.data];
            expect([...ops.cast(x, 'float32').data]).to.deep.equal(values.map(Math.fround));
            expect([...ops.cast(x, 'float64').data]).to.deep.equal(values);
            const cut = (v: number): number =>
              Number.isNaN(v) ? 0 : Math.trunc(Math.min(Math.max(v, -(2 ** 31)), 2 ** 31 - 1)) | 0;
            expect([...ops.cast(x, 'int32').data]).to.deep.equal(values.map(cut));
            expect([...ops.cast(x, 'bool').data]).to.deep.equal(values.map((v) => Number(v !== 0)));
          }
        },
      ),
    );
    const ints = tensor([0, -5, 16777217], [3], 'int32');
    expect([...ops.cast(ints, 'float32').data]).to.deep.equal([0, -5, 16777216]);
    expect([...ops.cast(ints, 'float64').data]).to.deep.equal([0, -5, 16777217]);
    expect(ops.cast(ints, 'bool').toArray()).to.deep.equal([false, true, true]);
    const mask = tensor([true, false]);
    for (const dtype of ['float32', 'float64', 'int32'] as const)
      expect(ops.cast(mask, dtype).toArray()).to.deep.equal([1, 0]);
    mask.data[0] = 255;
    expect(ops.cast(mask, 'int32').toArray()).to.deep.equal([1, 0]);
  });

  it('hands gradients on between floats', () => {
    const x = variable([1, 2], { dtype: 'float64' });
    const [dx] = gradients(() => ops.mul(ops.cast(x, 'float32'), Float32Array.of(3, 4)), [x]);
    expect([(dx as Tensor).dtype, (dx as Tensor).toArray()]).to.deep.equal(['float64', [3, 4]]);
    expect(ops.cast(2, 'int32').item()).to.equal(2);
    expect(() => ops.cast(1, 'int64' as never)).to.throw(
      TypeError,
      "dtype must be 'float32', 'float64', 'int32' or 'bool'",
    );
  });
});
