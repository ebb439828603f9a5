import { expect } from 'chai';
import fc from 'fast-check';
import { gradients, ops, runtime, tensor, type DType, type Tensor } from 'gradstep';
import { elements, indicesOf, reader, shapes } from '../../support/arrays';
import { expectClose, expectFloat32, expectGradients, randomTensor } from '../../support/numeric-gradient';

const special = [NaN, Infinity, -Infinity, 0, -0, 5e-324, 1e-40, 1, -1, 2, 2, 3.5, -7];
const value = fc.oneof(fc.constantFrom(...special), fc.float({ noNaN: true }));
const floats = fc.constantFrom<DType>('float32', 'float64');
const runs = { numRuns: 80 };

/** A tensor of a shape with values that are often special, and some of its dimensions. */
const cases = shapes(4).chain((shape) =>
  fc.record({
    shape: fc.constant(shape),
    values: fc.infiniteStream(value).map((stream) => Float64Array.from({ length: shape.reduce((p, d) => p * d, 1) }, () => stream.next().value as number)), // prettier-ignore
    axes: fc.subarray(shape.map((_, d) => d)),
    keepDims: fc.boolean(),
    dtype: floats,
  }),
);

/** What f gives of all elements that go into each of the result. */
function reduced(
  x: { data: ArrayLike<number>; shape: readonly number[] },
  axes: readonly number[],
  f: (values: number[]) => number,
): number[] {
  const kept = x.shape.filter((_, d) => !axes.includes(d));
  const along = axes.map((d) => x.shape[d]!);
  const read = reader(x.data, x.shape);
  return elements(
    kept,
    (index) =>
    f([...indicesOf(along)].map((at) => read(x.shape.map((_, d) => (axes.includes(d) ? at[axes.indexOf(d)]! : index[kept.length === 0 ? 0 : x.shape.slice(0, d).filter((__, e) => !axes.includes(e)).length]!))))), // prettier-ignore
  );
}

const same = (actual: ArrayLike<number>, expected: readonly number[]): void => {
  expect(Array.from(actual, (x) => (x === 0 ? 0 : x))).to.deep.equal(expected.map((x) => (x === 0 ? 0 : x)));
};

const greatest = (values: number[]): number =>
  values.reduce((a, b) => (Number.isNaN(a) || Number.isNaN(b) ? NaN : Math.max(a, b)), -Infinity);
const least = (values: number[]): number =>
  values.reduce((a, b) => (Number.isNaN(a) || Number.isNaN(b) ? NaN : Math.min(a, b)), Infinity);

describe('reduceMax and reduceMin', () => {
  it('find the extremes over any dimensions, NaN and infinities too', () => {
    fc.assert(
      fc.property(cases, ({ shape, values, axes, keepDims, dtype }) => {
        const x = tensor(values, shape, dtype);
        const result = shape.flatMap((size, d) => (axes.includes(d) ? (keepDims ? [1] : []) : [size]));
        for (const [op, f] of [
          [ops.reduceMax, greatest],
          [ops.reduceMin, least],
        ] as const) {
          const y = op(x, axes, { keepDims });
          expect([y.shape, y.dtype]).to.deep.equal([result, dtype]);
          same(y.data, reduced(x, axes, f));
        }
      }),
      runs,
    );
  });

  it('find those of more than a block, the same bits on every instruction set and for any threads', () => {
    const x = randomTensor([70_001], { dtype: 'float32' });
    const y = randomTensor([3, 20_000, 2], { dtype: 'float32' });
    const all = (): string => [ops.reduceMax(x), ops.reduceMin(x), ops.reduceMax(y, 1), ops.reduceMin(y, [0, 2]), ops.argMax(x), ops.argMin(y, 1)].map(({ data }) => Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('hex')).join(); // prettier-ignore
    const { isa, threads } = runtime;
    try {
      const expected = all();
      expect(ops.reduceMax(x).item()).to.equal(greatest([...x.data]));
      for (const other of runtime.availableIsas) {
        for (const count of [1, 3]) {
          runtime.useIsa(other);
          runtime.threads = count;
          expect(all()).to.equal(expected);
        }
      }
    } finally {
      runtime.useIsa(isa);
      runtime.threads = threads;
    }
  });

  it('share the gradient equally where several are it', () => {
    const x = tensor([[1, 3, 3], [2, 2, 2], [5, NaN, 5]]); // prettier-ignore
    const [dx] = gradients(() => ops.mul(ops.reduceMax(x, 1), Float32Array.of(2, 6, 1)), [x]);
    expect((dx as Tensor).toArray()).to.deep.equal([[0, 1, 1], [2, 2, 2], [NaN, NaN, NaN]]); // prettier-ignore
    expectGradients((t) => ops.square(ops.reduceMax(t, [0, 2])), [randomTensor([3, 4, 5])]);
    expectGradients((t) => ops.square(ops.reduceMin(t, 1, { keepDims: true })), [randomTensor([3, 4])]);
    expectFloat32((t) => ops.reduceMax(t), [randomTensor([5, 17])], 1e-6);
    const [second] = gradients(() => gradients(() => ops.square(ops.reduceMax(x, 1)), [x])[0] as Tensor, [x]);
    expect((second as Tensor).toArray()).to.deep.equal([[0, 1, 1], [2 / 3, 2 / 3, 2 / 3].map(Math.fround), [NaN, NaN, NaN]]); // prettier-ignore
  });

  it('refuse what x does not have', () => {
    expect(() => ops.reduceMax(1, 0)).to.throw(RangeError, 'axes must lie in');
    expect(() => ops.reduceMin(tensor([1], [1], 'int32') as never)).to.throw(TypeError, 'ops.cast');
  });
});

describe('reduceProd', () => {
  it('multiplies over any dimensions, in double precision', () => {
    fc.assert(
      fc.property(cases, ({ shape, values, axes, dtype }) => {
        const x = tensor(values, shape, dtype);
        const y = ops.reduceProd(x, axes);
        const expected = reduced(x, axes, (list) => list.reduce((a, b) => a * b, 1));
        same(y.data, dtype === 'float32' ? expected.map(Math.fround) : expected);
      }),
      runs,
    );
  });

  it('has the gradient that differences show, also where factors are 0', () => {
    expectGradients((t) => ops.square(ops.reduceProd(t, [0, 2])), [randomTensor([2, 3, 4])]);
    expectGradients((t) => ops.reduceProd(t), [randomTensor([7])]);
    for (const zeros of [1, 2]) {
      const x = randomTensor([3, 5]);
      for (let i = 0; i < zeros; i++) x.data[5 * i + 2] = x.data[2] = 0;
      expectGradients((t) => ops.reduceProd(t, 0), [x]);
      expectGradients((t) => ops.reduceProd(t, 1), [x]);
    }
    expect(() => gradients(() => gradients(() => ops.reduceProd(t2), [t2])[0] as Tensor, [t2])).to.throw(
      Error,
      'gradients of gradients are not supported',
    );
  });
  const t2 = randomTensor([3]);
});

describe('reduceAny and reduceAll', () => {
  it('reduce what is true over any dimensions', () => {
    fc.assert(
      fc.property(cases, ({ shape, values, axes, keepDims }) => {
        const x = ops.cast(tensor(values, shape), 'bool');
        expect([...ops.reduceAny(x, axes, { keepDims }).data]).to.deep.equal(
          reduced(x, axes, (list) => Number(list.some((v) => v !== 0))),
        );
        expect([...ops.reduceAll(x, axes, { keepDims }).data]).to.deep.equal(
          reduced(x, axes, (list) => Number(list.every((v) => v !== 0))),
        );
        expect(ops.reduceAny(x, axes, { keepDims: true }).shape).to.deep.equal(
          shape.map((size, d) => (axes.includes(d) ? 1 : size)),
        );
      }),
      runs,
    );
    expect(ops.reduceAll(tensor([], [0], 'bool')).item()).to.equal(true);
    expect(() => ops.reduceAny(tensor([1]) as never)).to.throw(TypeError, 'x is float32, expected bool');
  });
});

describe('reduceLogSumExp, reduceVariance and reduceStd', () => {
  it('are what their formulas say', () => {
    fc.assert(
      fc.property(shapes(3), fc.nat(7), (shape, mask) => {
        const x = randomTensor(shape);
        const axes = shape.flatMap((_, d) => ((mask >> d) & 1 ? [d] : []));
        const mean = (list: number[]): number => list.reduce((a, b) => a + b, 0) / list.length;
        const variance = (list: number[]): number => mean(list.map((v) => (v - mean(list)) ** 2));
        expectClose(
          ops.reduceLogSumExp(x, axes).data,
          reduced(x, axes, (list) => Math.log(list.reduce((a, b) => a + Math.exp(b), 0))),
          1e-13,
        );
        expectClose(ops.reduceVariance(x, axes).data, reduced(x, axes, variance), 1e-13);
        expectClose(
          ops.reduceStd(x, axes).data,
          reduced(x, axes, (list) => Math.sqrt(variance(list))),
          1e-13,
        );
      }),
      runs,
    );
  });

  it('do not overflow, and know infinities', () => {
    for (const dtype of ['float32', 'float64'] as const) {
      const of = (...list: number[]): number => ops.reduceLogSumExp(tensor(list, [list.length], dtype)).item();
      expectClose([of(1000, 1000)], [1000 + Math.log(2)], 1e-6);
      expectClose([of(-1000, -1000)], [-1000 + Math.log(2)], 1e-6);
      expect([of(Infinity, 1), of(-Infinity, -Infinity), of(), of(NaN, 1), of(-Infinity, 2)]).to.deep.equal([
        Infinity,
        -Infinity,
        -Infinity,
        NaN,
        2,
      ]);
    }
  });

  it('have the gradients that differences show', () => {
    for (const op of [ops.reduceLogSumExp, ops.reduceVariance, ops.reduceStd]) {
      expectGradients((t) => ops.square(op(t, [0, 2])), [randomTensor([2, 3, 4])]);
      expectGradients((t) => op(t, 1, { keepDims: true }), [randomTensor([3, 4])]);
      expectFloat32((t) => op(t), [randomTensor([3, 17])], 1e-5);
    }
  });
});

describe('argMax and argMin', () => {
  it('find the first of the extremes, NaN first of all', () => {
    fc.assert(
      fc.property(cases, fc.nat(), ({ shape, values, dtype }, at) => {
        if (shape.length === 0) return;
        const axis = at % shape.length;
        if (shape[axis] === 0) return;
        const x = tensor(values, shape, dtype);
        const first = (list: number[], of: number): number =>
          list.findIndex((v) => v === of || (Number.isNaN(v) && Number.isNaN(of)));
        const most = ops.argMax(x, axis);
        expect(most.dtype).to.equal('int32');
        expect([...most.data]).to.deep.equal(reduced(x, [axis], (list) => first(list, greatest(list))));
        expect([...ops.argMin(x, axis - shape.length).data]).to.deep.equal(
          reduced(x, [axis], (list) => first(list, least(list))),
        );
      }),
      { numRuns: 200 },
    );
    expect(() => ops.argMax(tensor([], [2, 0]), 1)).to.throw(RangeError, 'there is nothing along dimension 1');
    expect(() => ops.argMin(1)).to.throw(RangeError, 'axis must lie in');
    expect(() => ops.argMax(1, 'x' as never)).to.throw(TypeError, 'axis must be a number');
  });
});

describe('sort, argsort and topK', () => {
  const order = (a: number, b: number): number =>
    Number.isNaN(a) ? (Number.isNaN(b) ? 0 : 1) : Number.isNaN(b) ? -1 : a - b || 0;

  it('sort as a stable sort does, NaN the greatest, along any dimension', () => {
    const rows = fc.array(fc.array(value, { minLength: 7, maxLength: 7 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(
        fc.oneof(rows, fc.array(fc.array(value, { minLength: 300, maxLength: 300 }), { minLength: 1, maxLength: 2 })),
        floats,
        fc.nat(400),
        (list, dtype, most) => {
          const x = tensor(list, undefined, dtype);
          const columns = list[0]!.length;
          const k = most % (columns + 1);
          list.forEach((_, row) => {
            const values = [...x.data.subarray(row * columns, (row + 1) * columns)];
            const places = values.map((__, i) => i);
            const up = [...places].sort((a, b) => order(values[a]!, values[b]!) || a - b);
            const down = [...places].sort((a, b) => order(values[b]!, values[a]!) || a - b);
            const at = (y: { data: ArrayLike<number> }, n = columns): number[] =>
              Array.from(y.data).slice(row * n, (row + 1) * n);
            expect(at(ops.argsort(x))).to.deep.equal(up);
            expect(at(ops.sort(x))).to.deep.equal(up.map((i) => values[i]!));
            expect(at(ops.argsort(x, { direction: 'descending' }))).to.deep.equal(down);
            const best = ops.topK(x, k);
            expect(at(best.indices, k)).to.deep.equal(down.slice(0, k));
            expect(at(best.values, k)).to.deep.equal(down.slice(0, k).map((i) => values[i]!));
          });
          const turned = ops.sort(ops.transpose(x), { axis: 0 });
          expect(turned.data).to.deep.equal(ops.transpose(ops.sort(x)).data);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('have the gradients that differences show', () => {
    const x = randomTensor([3, 7]);
    const weights = randomTensor([3, 7], { seed: 3 });
    expectGradients((t) => ops.mul(ops.sort(t), weights), [x]);
    expectGradients((t) => ops.mul(ops.sort(t, { axis: 0, direction: 'descending' }), weights), [x]);
    expectGradients((t) => ops.square(ops.topK(t, 3).values), [x]);
    expectFloat32((t) => ops.topK(t, 5).values, [randomTensor([2, 33])], 1e-6);
  });

  it('refuse what does not fit', () => {
    expect(() => ops.topK(tensor([1, 2]), 3)).to.throw(RangeError, 'k is 3, x has shape [2]: it must be at most 2');
    expect(() => ops.topK(1)).to.throw(RangeError, 'x has shape []');
    expect(() => ops.topK(tensor([1]), 0.5)).to.throw(RangeError, 'k must be a whole number');
    expect(() => ops.sort(tensor([1]), { direction: 'up' as never })).to.throw(
      RangeError,
      "direction must be 'ascending'",
    );
    expect(() => ops.argsort(tensor([1]), { axis: 1 })).to.throw(RangeError, 'axis must lie in');
  });
});

describe('cumsum and cumprod', () => {
  it('are sums and products up to each element, with or without it, from either end', () => {
    fc.assert(
      fc.property(cases, fc.nat(), fc.boolean(), fc.boolean(), ({ shape, values, dtype }, at, exclusive, reverse) => {
        if (shape.length === 0) return;
        const axis = at % shape.length;
        const x = tensor(values, shape, dtype);
        const read = reader(x.data, shape);
        const rounded = (v: number): number => (dtype === 'float32' ? Math.fround(v) : v);
        for (const [op, start, f] of [
          [ops.cumsum, 0, (a: number, b: number) => a + b],
          [ops.cumprod, 1, (a: number, b: number) => a * b],
        ] as const) {
          const expected = elements(shape, (index) => {
            const own = index[axis]!;
            const before: number[] = [];
            for (let i = reverse ? shape[axis]! - 1 : 0; reverse ? i > own : i < own; i += reverse ? -1 : 1)
              before.push(i);
            if (!exclusive) before.push(own);
            return rounded(before.reduce((sum, i) => f(sum, read(index.map((j, d) => (d === axis ? i : j)))), start));
          });
          same(op(x, { axis, exclusive, reverse }).data, expected);
        }
      }),
      runs,
    );
  });

  it('have the gradients that differences show, products of zeros too', () => {
    for (const exclusive of [false, true]) {
      for (const reverse of [false, true]) {
        const options = { axis: 1, exclusive, reverse };
        expectGradients((t) => ops.square(ops.cumsum(t, options)), [randomTensor([2, 4, 3])]);
        expectGradients((t) => ops.cumprod(t, options), [randomTensor([2, 4, 3])]);
        for (const places of [[1], [0, 2], [3]]) {
          const x = randomTensor([1, 4]);
          for (const place of places) x.data[place] = 0;
          expectGradients((t) => ops.cumprod(t, options), [x]);
        }
        expectFloat32((t) => ops.cumsum(t, options), [randomTensor([2, 33])], 1e-5);
      }
    }
  });

  it('refuse what does not fit', () => {
    expect(() => ops.cumsum(1)).to.throw(RangeError, 'axis must lie in');
    expect(() => ops.cumprod(tensor([1]), { exclusive: 1 as never })).to.throw(
      TypeError,
      'exclusive must be a boolean',
    );
  });
});
