import { expect } from 'chai';
import {
  compile,
  compileStep,
  GradientDescentOptimizer,
  LazyAdamOptimizer,
  ops,
  tensor,
  variable,
  type AnyTensor,
  type BoolTensor,
  type DType,
  type Int32Tensor,
  type Tensor,
} from 'gradstep';
import { randomTensor } from '../support/numeric-gradient';

const bytesOf = (t: AnyTensor): string => {
  const { data } = t;
  return `${t.dtype} ${t.shape.join()} ${Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('hex')}`;
};

interface Given {
  readonly x: Tensor;
  readonly ids: Int32Tensor;
  readonly mask: BoolTensor;
}

const shape = [3, 4];
const given = (dtype: DType): Given => ({
  x: randomTensor(shape, { dtype, low: 0.5 }),
  ids: tensor([2, 0, 2], [3], 'int32'),
  mask: tensor([[true, false, true, true], [false, false, true, false], [true, true, false, true]]), // prettier-ignore
});

/** Every op on shapes, reductions and other types than floats; those of floats have gradients. */
const functions: Readonly<Record<string, (given: Given) => AnyTensor>> = {
  concat: ({ x }) => ops.concat([x, ops.exp(x), x], 1),
  split: ({ x }) => ops.concat(ops.split(x, [1, 3], { axis: 1 }).reverse(), 1),
  unstack: ({ x }) => ops.stack(ops.unstack(x, { axis: 1 }).slice(1), { axis: 1 }),
  slice: ({ x }) => ops.slice(x, [1, 1], [-1, 2]),
  stridedSlice: ({ x }) => ops.stridedSlice(x, [2, 3], [-9, 0], { strides: [-1, -2] }),
  pad: ({ x }) => ops.pad(x, [[1, 0], [2, 1]], { constantValues: 3 }), // prettier-ignore
  mirror: ({ x }) => ops.pad(x, [[1, 2], [3, 1]], { mode: 'reflect' }), // prettier-ignore
  tile: ({ x }) => ops.tile(x, [2, 3]),
  reverse: ({ x }) => ops.reverse(x, [0, 1]),
  broadcastTo: ({ x }) => ops.broadcastTo(x, [2, 3, 4]),
  squeeze: ({ x }) => ops.squeeze(ops.expandDims(x, 1)),
  gather: ({ x, ids }) => ops.gather(x, ids),
  gatherColumns: ({ x, ids }) => ops.gather(x, ids, { axis: 1 }),
  gatherByArray: ({ x }) => ops.gather(x, [3, 1], { axis: 1 }),
  gatherNd: ({ x, ids }) => ops.gatherNd(x, ops.stack([ids, ids], { axis: 1 })),
  scatterNd: ({ x, ids }) => ops.scatterNd(ops.expandDims(ids, 1), x, [4, 4]),
  where: ({ x, mask }) => ops.where(mask, x, ops.exp(x)),
  whereNumber: ({ x, mask }) => ops.where(mask, x, -1),
  bandPart: ({ x }) => ops.bandPart(x, 0, 1),
  diag: ({ x }) => ops.diag(x),
  diagPart: ({ x }) => ops.diagPart(x),
  einsum: ({ x }) => ops.einsum('ij,kj->ki', x, ops.exp(x)),
  cumsum: ({ x }) => ops.cumsum(x, { axis: 1, exclusive: true }),
  cumprod: ({ x }) => ops.cumprod(x, { reverse: true }),
  reduceMax: ({ x }) => ops.reduceMax(x, 1),
  reduceMin: ({ x }) => ops.reduceMin(x, 0, { keepDims: true }),
  reduceProd: ({ x }) => ops.reduceProd(x, 1),
  reduceLogSumExp: ({ x }) => ops.reduceLogSumExp(x, 1),
  reduceVariance: ({ x }) => ops.reduceVariance(x),
  reduceStd: ({ x }) => ops.reduceStd(x, 0),
  topK: ({ x }) => ops.topK(x, 2).values,
  sort: ({ x }) => ops.sort(x, { axis: 0 }),
  castToOther: ({ x }) => ops.cast(x, x.dtype === 'float32' ? 'float64' : 'float32'),
  labels: ({ x, ids }) => ops.sparseSoftmaxCrossEntropyWithLogits(ids, x),
  computedLabels: ({ x }) => ops.sparseSoftmaxCrossEntropyWithLogits(ops.argMin(x, 1), x),
  computedRows: ({ x }) => ops.gather(x, ops.cast(ops.mul(ops.reduceMax(x, 1), 0.5), 'int32')),
  rowsOfBoth: ({ x, ids }) =>
    ops.add(ops.gather(x, ops.slice(ids, [1], [2])), ops.gather(x, tensor([1, 1], [2], 'int32'))),
  masked: ({ x, mask }) => ops.mul(x, ops.cast(mask, x.dtype)),
  oneHot: ({ x, ids }) => ops.mul(x, ops.oneHot(ids, 4, { dtype: x.dtype })),
  eye: ({ x }) => ops.add(x, ops.eye(3, { numColumns: 4, dtype: x.dtype })),
  ids: ({ ids }) => ids,
  mask: ({ mask }) => mask,
  idsTurned: ({ ids }) => ops.reverse(ids, 0),
  maskTurned: ({ mask }) => ops.transpose(mask),
  idsPadded: ({ ids }) => ops.pad(ids, [[1, 2]], { constantValues: -7 }), // prettier-ignore
  maskJoined: ({ mask }) => ops.concat([mask, ops.ones([3, 1], 'bool'), mask], 1),
  argMax: ({ x }) => ops.argMax(x, 1),
  argsort: ({ x }) => ops.argsort(x),
  places: ({ x }) => ops.topK(x, 3).indices,
  any: ({ mask }) => ops.reduceAny(mask, 1),
  all: ({ mask }) => ops.reduceAll(mask, 0),
  lengths: ({ ids }) => ops.sequenceMask(ids, 3),
  range: ({ ids }) => ops.concat([ops.range(3), ids], 0),
  picked: ({ ids, mask }) => ops.gather(mask, ids),
  zeros: ({ ids }) => ops.zerosLike(ids),
};

const inputs = (dtype: DType) =>
  ({ x: { shape, dtype }, ids: { shape: [3], dtype: 'int32' }, mask: { shape, dtype: 'bool' } }) as const;

describe('what is compiled of tensors of all types', () => {
  for (const dtype of ['float32', 'float64'] as const) {
    for (const [name, f] of Object.entries(functions)) {
      it(`gives the bytes that are given at once, and the same gradient (${name}, ${dtype})`, async () => {
        const of = given(dtype);
        const compiled = compile((traced) => f(traced), { inputs: inputs(dtype) });
        expect(bytesOf(compiled.runSync(of))).to.equal(bytesOf(f(of)));
        expect(bytesOf(await compiled.run({ ...of, ids: of.ids.data, mask: of.mask.data }))).to.equal(bytesOf(f(of)));
        const { dtype: type } = f(of);
        if (type !== 'float32' && type !== 'float64') return;
        const [eager, one] = [variable(of.x), variable(of.x)];
        const lossOf = (w: typeof eager, more: Omit<Given, 'x'>) => (): Tensor =>
          ops.reduceSum(ops.square(f({ ...more, x: ops.identity(w) }) as Tensor));
        new GradientDescentOptimizer({ learningRate: 0.01 }).minimize(lossOf(eager, of));
        const { ids, mask } = inputs(dtype);
        const step = compileStep({
          inputs: { ids, mask },
          loss: (traced) => lossOf(one, traced)(),
          optimizer: new GradientDescentOptimizer({ learningRate: 0.01 }),
        });
        step.runSync({ ids: of.ids, mask: of.mask });
        expect(bytesOf(one.value)).to.equal(bytesOf(eager.value));
      });
    }
  }
});

describe('indices that a function computes', () => {
  const table = () => variable([[1, 2], [3, 4], [5, 6]], { name: 'table' }); // prettier-ignore

  it('are refused in the run where they are out of range, with nothing changed', async () => {
    const w = table();
    const step = compileStep({
      inputs: { x: { shape: [2] } },
      loss: ({ x }) => ops.reduceSum(ops.gather(w, ops.cast(x, 'int32'))),
      optimizer: new GradientDescentOptimizer({ learningRate: 1 }),
    });
    const before = bytesOf(w.value);
    for (const bad of [3, -1, 1e10]) {
      const wrong = { x: Float32Array.of(0, bad) };
      expect(() => step.runSync(wrong)).to.throw(RangeError, 'an index that was computed is out of range');
      const error: unknown = await step.run(wrong).catch((reason: unknown) => reason);
      expect(error).to.be.instanceOf(RangeError);
      expect(bytesOf(w.value)).to.equal(before);
    }
    step.runSync({ x: Float32Array.of(2, 2.9) });
    expect(w.toArray()).to.deep.equal([[1, 2], [3, 4], [3, 4]]); // prettier-ignore
  });

  it('give dense gradients, and lists that come with a run sparse ones', () => {
    const [dense, sparse] = [table(), table()];
    const run = (w: typeof dense, cast: boolean): void => {
      compileStep({
        inputs: { rows: { shape: [2], dtype: 'int32' } },
        loss: ({ rows }) => ops.l2Loss(ops.gather(w, cast ? ops.cast(ops.cast(rows, 'float32'), 'int32') : rows)),
        optimizer: new LazyAdamOptimizer({ learningRate: 0.1 }),
      }).runSync({ rows: [1, 1] });
    };
    run(dense, true);
    run(sparse, false);
    expect(bytesOf(dense.value)).to.equal(bytesOf(sparse.value));
  });

  it('are of one variable beside others that come with a run', () => {
    const [eager, compiled] = [table(), table()];
    const loss = (w: typeof eager, rows: Int32Tensor) => (): Tensor =>
      ops.add(ops.reduceSum(ops.square(ops.gather(w, rows))), ops.reduceSum(ops.gather(w, ops.reverse(rows, 0))));
    const rows = tensor([2, 0], [2], 'int32');
    new GradientDescentOptimizer({ learningRate: 0.1 }).minimize(loss(eager, rows));
    compileStep({
      inputs: { rows: { shape: [2], dtype: 'int32' } },
      loss: (traced) => loss(compiled, traced.rows)(),
      optimizer: new GradientDescentOptimizer({ learningRate: 0.1 }),
    }).runSync({ rows });
    expect(bytesOf(compiled.value)).to.equal(bytesOf(eager.value));
  });
});

describe('inputs that are no floats', () => {
  const f = compile(({ ids, mask }) => ({ ids, mask }), {
    inputs: { ids: { shape: [2], dtype: 'int32' }, mask: { shape: [2], dtype: 'bool' } },
  });
  const good = { ids: [1, -5], mask: Uint8Array.of(1, 0) };

  it('may be any whole numbers where they are no indices', () => {
    const { ids, mask } = f.runSync(good);
    expect([ids.toArray(), mask.toArray()]).to.deep.equal([
      [1, -5],
      [true, false],
    ]);
  });

  it('are refused where they are of another kind or length', () => {
    const cases: [object, ErrorConstructor, string][] = [
      [{ ids: tensor([1, 2]) }, TypeError, 'ids is float32, expected int32'],
      [{ ids: [0.5, 1] }, RangeError, 'ids must hold whole numbers of 32 bits, got 0.5'],
      [{ ids: [1] }, RangeError, 'ids has 1 elements, shape [2] needs 2'],
      [{ ids: tensor([[1, 2]], undefined, 'int32') }, RangeError, 'ids has shape [1, 2], expected [2]'],
      [{ ids: 'x' }, TypeError, 'ids must be an Int32Array or an array of numbers'],
      [{ mask: [true, false] }, TypeError, 'mask must be a Tensor or a Uint8Array, got an array of 2'],
      [{ mask: tensor([1, 0]) }, TypeError, 'mask is float32, expected bool'],
      [{ mask: Uint8Array.of(1) }, RangeError, 'mask has 1 elements, shape [2] needs 2'],
    ];
    for (const [wrong, kind, message] of cases) {
      expect(() => f.runSync({ ...good, ...wrong }), message).to.throw(kind, message);
    }
    expect(() => compile(({ x }) => x, { inputs: { x: { shape: [1], dtype: 'int8' as never } } })).to.throw(TypeError);
  });

  it('are read anew in each run, as tensors of yours are, and refused when those are gone', () => {
    const rows = tensor([0], [1], 'int32');
    const mask = tensor([true, false]);
    const g = compile(({ x }) => ops.gather(ops.where(mask, x, 0), rows), { inputs: { x: { shape: [2] } } });
    const x = Float32Array.of(3, 4);
    expect(g.runSync({ x }).toArray()).to.deep.equal([3]);
    rows.data[0] = 1;
    expect(g.runSync({ x }).toArray()).to.deep.equal([0]);
    mask.data.fill(1);
    expect(g.runSync({ x }).toArray()).to.deep.equal([4]);
    rows.data[0] = 2;
    expect(() => g.runSync({ x })).to.throw(RangeError, 'indices[0] is 2, expected 0 to 2 (exclusive)');
    rows.dispose();
    expect(() => g.runSync({ x })).to.throw(Error, 'disposed of');
  });

  it('have no values while a function is compiled', () => {
    const peek = (read: (ids: Int32Tensor) => unknown) => () =>
      compile(({ ids }) => (read(ids), ids), { inputs: { ids: { shape: [1], dtype: 'int32' } } });
    expect(peek((ids) => ids.data)).to.throw(Error, 'cannot be part of what is compiled');
    expect(peek((ids) => ids.item())).to.throw(Error, 'cannot be part of what is compiled');
    expect(peek((ids) => ops.where(ops.cast(ids, 'bool')))).to.throw(Error, 'the places at which a condition is true');
  });
});
