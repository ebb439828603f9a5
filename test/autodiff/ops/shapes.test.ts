import { expect } from 'chai';
import fc from 'fast-check';
import { gradients, ops, tensor, type BoolTensor, type Tensor } from 'gradstep';
import { elements, indicesOf, placeOf, reader, shapes } from '../../support/arrays';
import { expectClose, expectFloat32, expectGradients, randomTensor } from '../../support/numeric-gradient';

const types = ['float32', 'float64', 'int32', 'bool'] as const;

/** Numbers that differ, or true and false. */
function numbered(shape: readonly number[], dtype: (typeof types)[number] = 'float64'): Tensor {
  const size = shape.reduce((product, dim) => product * dim, 1);
  const values = Float64Array.from({ length: size }, (_, i) => (dtype === 'bool' ? Number(i % 3 === 0) : i + 1));
  return tensor(values, shape, dtype) as Tensor;
}

const check = (
  y: { shape: readonly number[]; data: ArrayLike<number> },
  shape: number[],
  f: (index: number[]) => number,
): void => {
  expect(y.shape).to.deep.equal(shape);
  expect(Array.from(y.data)).to.deep.equal(elements(shape, f));
};

const typed = fc.constantFrom(...types);
const runs = { numRuns: 60 };

describe('concat and split', () => {
  it('put tensors one after the other, and take them apart, for every shape and type', () => {
    fc.assert(
      fc.property(
        shapes(4, 1),
        fc.nat(),
        fc.array(fc.nat(4), { minLength: 1, maxLength: 4 }),
        typed,
        (shape, at, sizes, dtype) => {
          const axis = at % shape.length;
          const parts = sizes.map((size) => numbered(shape.map((own, d) => (d === axis ? size : own)), dtype)); // prettier-ignore
          const total = sizes.reduce((sum, size) => sum + size, 0);
          const whole = shape.map((own, d) => (d === axis ? total : own));
          const y = ops.concat(parts, axis);
          check(y, whole, (index) => {
            let [k, i] = [0, index[axis]!];
            while (i >= sizes[k]!) i -= sizes[k++]!;
            return reader(parts[k]!.data, parts[k]!.shape)(index.map((own, d) => (d === axis ? i : own)));
          });
          const again = ops.split(y, sizes, { axis: axis - shape.length });
          again.forEach((part, k) => {
            expect(part.shape).to.deep.equal(parts[k]!.shape);
            expect(part.data).to.deep.equal(parts[k]!.data);
            expect(part.dtype).to.equal(dtype);
          });
        },
      ),
      runs,
    );
  });

  it('have the gradients that differences show', () => {
    expectGradients((a, b) => ops.square(ops.concat([a, b, a], 1)), [randomTensor([2, 3, 2]), randomTensor([2, 1, 2])]);
    expectGradients((x) => ops.mul(ops.split(x, 3, { axis: 1 })[1]!, 2), [randomTensor([3, 6])]);
    expectGradients(
      (x) => {
        const [a, , c] = ops.split(x, [1, 2, 3], { axis: -1 });
        return ops.add(ops.reduceSum(ops.square(a!), 1), ops.reduceSum(ops.exp(c!), 1));
      },
      [randomTensor([4, 6])],
    );
    expectFloat32((x) => ops.concat(ops.split(x, 2), 1), [randomTensor([4, 17])], 1e-6);
  });

  it('give each part of one tensor its share, also where another op reads the whole', () => {
    const x = randomTensor([4, 3]);
    expectGradients(
      (t) => {
        const rows = ops.unstack(t);
        return ops.add(ops.add(ops.square(rows[0]!), ops.mul(rows[2]!, rows[0]!)), ops.reduceSum(ops.square(t), 0));
      },
      [x],
    );
    const [unused] = gradients(() => ops.split(x, 2)[0]!, [x]);
    expect((unused as Tensor).toArray()).to.deep.equal([[1, 1, 1], [1, 1, 1], [0, 0, 0], [0, 0, 0]]); // prettier-ignore
  });

  it('refuse what does not fit', () => {
    const x = tensor([[1, 2], [3, 4]]); // prettier-ignore
    expect(() => ops.concat([], 0)).to.throw(RangeError, 'values is empty');
    expect(() => ops.concat(x as never, 0)).to.throw(TypeError, 'values must be an array');
    expect(() => ops.concat([x, tensor([1])], 0)).to.throw(
      RangeError,
      'values[1] has shape [1]: they must be equal but for axis 0',
    );
    expect(() => ops.concat([x, tensor([[1]], [1, 1], 'float64')], 0)).to.throw(
      TypeError,
      'values[0] is float32 and values[1] is float64',
    );
    expect(() => ops.concat([x], 2)).to.throw(RangeError, 'axis must lie in [-2, 2)');
    expect(() => ops.split(x, 3)).to.throw(RangeError, "numOrSizes is 3, which must divide the dimension's size 2");
    expect(() => ops.split(x, [1, 2])).to.throw(RangeError, 'sizes must add up to 2');
    expect(() => ops.split(x, [3, -1])).to.throw(RangeError, 'numOrSizes[1] must be a whole number');
  });
});

describe('stack and unstack', () => {
  it('add and take away a dimension, for every shape and type', () => {
    fc.assert(
      fc.property(shapes(3), fc.nat(), fc.integer({ min: 1, max: 4 }), typed, (shape, at, count, dtype) => {
        const axis = at % (shape.length + 1);
        const parts = Array.from({ length: count }, (_, i) => {
          const part = numbered(shape, dtype);
          if (dtype !== 'bool') part.data.forEach((value, k, all) => (all[k] = value + 1000 * i));
          return part;
        });
        const whole = [...shape.slice(0, axis), count, ...shape.slice(axis)];
        const y = ops.stack(parts, { axis });
        check(y, whole, (index) => reader(parts[index[axis]!]!.data, shape)(index.filter((_, d) => d !== axis)));
        ops.unstack(y, { axis: axis - whole.length }).forEach((part, i) => {
          expect(part.shape).to.deep.equal(shape);
          expect(part.data).to.deep.equal(parts[i]!.data);
        });
      }),
      runs,
    );
    expectGradients(
      (a, b) => ops.exp(ops.stack([a, b, a], { axis: -1 })),
      [randomTensor([2, 3]), randomTensor([2, 3])],
    );
    expectGradients(
      (x) => {
        const parts = ops.unstack(x, { axis: 1 });
        return ops.mul(parts[0]!, parts[2]!);
      },
      [randomTensor([2, 3, 4])],
    );
    expect(() => ops.stack([tensor([1]), tensor([1, 2])])).to.throw(
      RangeError,
      'values[1] has shape [2]: they must be equal',
    );
    expect(() => ops.unstack(1)).to.throw(RangeError, 'axis must lie in');
  });
});

describe('slice and stridedSlice', () => {
  it('take any part, for every shape and type', () => {
    const part = shapes(4).chain((shape) =>
      fc.record({
        shape: fc.constant(shape),
        begin: fc.tuple(...shape.map((size) => fc.nat(size))),
        more: fc.tuple(...shape.map(() => fc.nat(40))),
        dtype: typed,
      }),
    );
    fc.assert(
      fc.property(part, ({ shape, begin, more, dtype }) => {
        const x = numbered(shape, dtype);
        const size = shape.map((own, d) => (more[d]! > 30 ? -1 : Math.min(more[d]!, own - begin[d]!)));
        const real = size.map((own, d) => (own < 0 ? shape[d]! - begin[d]! : own));
        check(ops.slice(x, begin, size), real, (index) => reader(x.data, shape)(index.map((at, d) => at + begin[d]!)));
      }),
      runs,
    );
  });

  it('slice as Python does, with strides in both directions', () => {
    const python = (size: number, begin: number, end: number, stride: number): number[] => {
      const at: number[] = [];
      const clamp = (i: number): number =>
        Math.min(Math.max(i < 0 ? i + size : i, stride > 0 ? 0 : -1), stride > 0 ? size : size - 1);
      for (let i = clamp(begin); stride > 0 ? i < clamp(end) : i > clamp(end); i += stride) at.push(i);
      return at;
    };
    const bound = fc.integer({ min: -9, max: 9 });
    const stride = fc.constantFrom(1, 2, 3, -1, -2, 7);
    const one = fc.tuple(fc.integer({ min: 1, max: 7 }), bound, bound, stride);
    fc.assert(
      fc.property(fc.array(one, { minLength: 1, maxLength: 3 }), typed, (dimensions, dtype) => {
        const shape = dimensions.map(([size]) => size);
        const x = numbered(shape, dtype);
        const picks = dimensions.map((own) => python(...own));
        const [begin, end, strides] = [1, 2, 3].map((k) => dimensions.map((own) => own[k]!));
        check(
          ops.stridedSlice(x, begin!, end!, { strides: strides! }),
          picks.map(({ length }) => length),
          (index) =>
            // prettier-ignore
            reader(x.data, shape)(index.map((at, d) => picks[d]![at]!)),
        );
      }),
      { numRuns: 200 },
    );
  });

  it('know the masks of TensorFlow', () => {
    const x = numbered([2, 3, 4]);
    const shapeOf = (options: Parameters<typeof ops.stridedSlice>[3], begin = [0, 0], end = [1, 2]) =>
      ops.stridedSlice(x, begin, end, options).shape;
    expect(shapeOf({})).to.deep.equal([1, 2, 4]);
    expect(shapeOf({ beginMask: 2, endMask: 1 }, [1, 1])).to.deep.equal([1, 2, 4]);
    expect(shapeOf({ ellipsisMask: 1 })).to.deep.equal([2, 3, 2]); // x[..., 0:2]
    expect(shapeOf({ newAxisMask: 1 })).to.deep.equal([1, 2, 3, 4]);
    expect(shapeOf({ shrinkAxisMask: 3 }, [1, -1])).to.deep.equal([4]);
    expect(ops.stridedSlice(x, [1, -1], [0, 0], { shrinkAxisMask: 3 }).toArray()).to.deep.equal([21, 22, 23, 24]);
    expect(ops.stridedSlice(x, [0], [0], { strides: [-1], beginMask: 1, endMask: 1 }).data).to.deep.equal(
      ops.reverse(x, 0).data,
    );
    expect(ops.stridedSlice(x, [], []).data).to.deep.equal(x.data);
    expect(() => shapeOf({ strides: [1, 0] })).to.throw(RangeError, 'strides[1] must not be 0');
    expect(() => shapeOf({ ellipsisMask: 3 })).to.throw(RangeError, 'ellipsisMask must name one element at most');
    expect(() => shapeOf({ shrinkAxisMask: 1 }, [2, 0])).to.throw(RangeError, 'begin[0] is 2, that dimension has 2');
    expect(() => ops.stridedSlice(x, [0, 0, 0, 0], [1, 1, 1, 1])).to.throw(RangeError, '4 of its dimensions are named');
    expect(() => ops.stridedSlice(x, [0], [1, 1])).to.throw(RangeError, 'end has 2 elements');
  });

  it('have the gradients that differences show, and refuse what x does not have', () => {
    expectGradients((x) => ops.square(ops.slice(x, [1, 0], [1, -1])), [randomTensor([3, 4])]);
    expectGradients(
      (x) => ops.square(ops.stridedSlice(x, [2, -1], [-9, 0], { strides: [-2, -1] })),
      [randomTensor([3, 4])],
    );
    expectGradients(
      (x) => ops.exp(ops.stridedSlice(x, [1, 0], [0, 2], { shrinkAxisMask: 1, newAxisMask: 2 })),
      [randomTensor([3, 4])],
    );
    const x = tensor([[1, 2], [3, 4]]); // prettier-ignore
    expect(() => ops.slice(x, [0, 1], [2, 2])).to.throw(RangeError, 'dimension 1 has no such part');
    expect(() => ops.slice(x, [0], [1])).to.throw(
      RangeError,
      'begin has 1 elements, x has shape [2, 2]: 2 were expected',
    );
    expect(() => ops.slice(x, [0, 0.5], [1, 1])).to.throw(TypeError, 'begin must hold whole numbers, got 0.5');
  });
});

describe('pad', () => {
  it('puts a value, or what a mirror shows, around every shape and type', () => {
    const modes = fc.constantFrom('constant' as const, 'reflect' as const, 'symmetric' as const);
    const padded = shapes(3).chain((shape) =>
      fc.tuple(fc.constant(shape), fc.tuple(...shape.map(() => fc.tuple(fc.nat(9), fc.nat(9)))), modes, typed),
    );
    fc.assert(
      fc.property(padded, ([shape, wanted, mode, dtype]) => {
        const most = (size: number): number =>
          mode === 'constant' ? 9 : Math.max(0, mode === 'reflect' ? size - 1 : size);
        const paddings = wanted.map(([a, b], d): [number, number] => [
          Math.min(a, most(shape[d]!)),
          Math.min(b, most(shape[d]!)),
        ]);
        const x = numbered(shape, dtype);
        const result = shape.map((size, d) => size + paddings[d]![0] + paddings[d]![1]);
        check(ops.pad(x, paddings, { mode, constantValues: 1 }), result, (index) => {
          const at = index.map((i, d) => i - paddings[d]![0]);
          const isInside = at.every((i, d) => i >= 0 && i < shape[d]!);
          if (mode === 'constant' && !isInside) return 1;
          const skip = mode === 'reflect' ? 0 : 1;
          return reader(
            x.data,
            shape,
          )(at.map((i, d) => (i < 0 ? -i - skip : i < shape[d]! ? i : 2 * shape[d]! - 2 - i + skip)));
        });
      }),
      runs,
    );
  });

  it('has the gradients that differences show, and refuses what a mirror does not show', () => {
    for (const mode of ['constant', 'reflect', 'symmetric'] as const) {
      expectGradients((x) => ops.square(ops.pad(x, [[2, 1], [0, 3]], { mode })), [randomTensor([3, 4])]); // prettier-ignore
      expectFloat32((x) => ops.pad(x, [[1, 1], [16, 16]], { mode }), [randomTensor([3, 17])], 1e-6); // prettier-ignore
    }
    const x = tensor([[1, 2, 3]]);
    expect(() => ops.pad(x, [[0, 0], [3, 0]], { mode: 'reflect' })).to.throw(RangeError, 'a mirror shows 2 elements of dimension 1'); // prettier-ignore
    expect(() => ops.pad(x, [[0, 0]])).to.throw(RangeError, 'paddings has 1 elements');
    expect(() => ops.pad(x, [[0, 0], 1 as never])).to.throw(TypeError, 'paddings[1] must be [front, behind]'); // prettier-ignore
    expect(() => ops.pad(x, [[0, 0], [0, 0]], { mode: 'edge' as never })).to.throw(RangeError, 'mode must be'); // prettier-ignore
    expect(() => ops.pad(tensor([1], [1], 'int32'), [[1, 1]], { constantValues: 0.5 })).to.throw(RangeError, 'int32');
  });
});

describe('tile, reverse, broadcastTo, expandDims and squeeze', () => {
  it('repeat, turn and reshape every shape and type', () => {
    const tiled = shapes(3).chain((shape) =>
      fc.tuple(fc.constant(shape), fc.tuple(...shape.map(() => fc.nat(3))), typed),
    );
    fc.assert(
      fc.property(tiled, ([shape, multiples, dtype]) => {
        const x = numbered(shape, dtype);
        const read = reader(x.data, shape);
        check(
          ops.tile(x, multiples),
          shape.map((size, d) => size * multiples[d]!),
          (index) =>
            // prettier-ignore
            read(index.map((at, d) => at % shape[d]!)),
        );
        const axes = multiples.flatMap((multiple, d) => (multiple > 1 ? [d] : []));
        check(ops.reverse(x, axes), shape, (index) =>
          read(index.map((at, d) => (axes.includes(d) ? shape[d]! - 1 - at : at))),
        );
        const perm = shape.map((_, d) => d).reverse();
        check(ops.transpose(x), perm.map((d) => shape[d]!), (index) => read(perm.map((d) => index[d]!))); // prettier-ignore
        const single = shape.map((size, d) => (axes.includes(d) ? 1 : size));
        const one = numbered(single, dtype);
        check(ops.broadcastTo(one, [2, ...shape]), [2, ...shape], (index) =>
          reader(one.data, single)(index.slice(1).map((at, d) => (axes.includes(d) ? 0 : at))),
        );
        expect(ops.squeeze(ops.expandDims(x, -1), { axes: -1 }).shape).to.deep.equal(shape);
      }),
      runs,
    );
    expect(ops.squeeze(numbered([1, 2, 1, 3])).shape).to.deep.equal([2, 3]);
    expect(ops.squeeze(numbered([1, 2, 1]), { axes: [0] }).shape).to.deep.equal([2, 1]);
    expect(ops.expandDims(numbered([2, 3]), 1).shape).to.deep.equal([2, 1, 3]);
  });

  it('have the gradients that differences show', () => {
    expectGradients((x) => ops.square(ops.tile(x, [2, 1, 3])), [randomTensor([2, 3, 2])]);
    expectGradients((x) => ops.square(ops.reverse(x, [0, -1])), [randomTensor([2, 3, 2])]);
    expectGradients((x) => ops.mul(ops.broadcastTo(x, [4, 2, 3]), randomTensor([4, 2, 3])), [randomTensor([2, 1])]);
    expectGradients((x) => ops.square(ops.squeeze(ops.expandDims(x, 0))), [randomTensor([2, 1])]);
    expectFloat32((x) => ops.tile(x, [3, 2]), [randomTensor([5, 17])], 1e-6);
  });

  it('refuse what does not fit', () => {
    const x = tensor([[1, 2]]);
    expect(() => ops.tile(x, [1])).to.throw(RangeError, 'multiples has 1 elements');
    expect(() => ops.tile(x, [1, -1])).to.throw(RangeError, 'multiples[1]');
    expect(() => ops.broadcastTo(x, [3])).to.throw(RangeError, 'does not broadcast to [3]');
    expect(() => ops.squeeze(x, { axes: 1 })).to.throw(RangeError, 'dimension 1 is not of size 1');
    expect(() => ops.expandDims(x, 3)).to.throw(RangeError, 'axis must lie in [-3, 3)');
    expect(() => ops.reverse(x, [0, 0])).to.throw(RangeError, 'axes must not repeat');
    expect(() => ops.reverse(x, 2)).to.throw(RangeError, 'axes must lie in');
  });
});

describe('gather along a dimension, gatherNd and scatterNd', () => {
  it('pick elements by their numbers, for every shape and type', () => {
    const picking = shapes(4, 1)
      .filter((shape) => !shape.includes(0))
      .chain((shape) =>
        // prettier-ignore
        fc.record({ shape: fc.constant(shape), at: fc.nat(), picks: fc.array(fc.nat(), { maxLength: 6 }), dtype: typed }),
      );
    fc.assert(
      fc.property(picking, ({ shape, at, picks, dtype }) => {
        const x = numbered(shape, dtype);
        const axis = at % shape.length;
        const indices = picks.map((pick) => pick % shape[axis]!);
        const result = shape.map((size, d) => (d === axis ? indices.length : size));
        check(ops.gather(x, indices, { axis }), result, (index) =>
          reader(x.data, shape)(index.map((i, d) => (d === axis ? indices[i]! : i))),
        );
        const depth = at % (shape.length + 1);
        const places = picks.map((pick) => shape.slice(0, depth).map((size, d) => (pick >> d) % size));
        const list = tensor(Int32Array.from(places.flat()), [picks.length, depth]);
        check(ops.gatherNd(x, list), [picks.length, ...shape.slice(depth)], ([i, ...rest]) =>
          reader(x.data, shape)([...places[i!]!, ...rest]),
        );
      }),
      runs,
    );
  });

  it('have dimensions in common with indices that have their own there', () => {
    const x = numbered([2, 3, 4]);
    const indices = tensor([[2, 0], [1, 1]], undefined, 'int32'); // prettier-ignore
    check(ops.gather(x, indices, { batchDims: 1 }), [2, 2, 4], ([b, i, c]) =>
      reader(x.data, x.shape)([b!, reader(indices.data, [2, 2])([b!, i!]), c!]),
    );
    check(ops.gather(x, indices, { batchDims: 1, axis: 2 }), [2, 3, 2], ([b, r, i]) =>
      reader(x.data, x.shape)([b!, r!, reader(indices.data, [2, 2])([b!, i!])]),
    );
    expectGradients((t) => ops.square(ops.gather(t, indices, { batchDims: 1, axis: 2 })), [randomTensor([2, 3, 4])]);
    expect(() => ops.gather(x, indices, { batchDims: 2 })).to.throw(RangeError, 'the first 2 must be equal');
    expect(() => ops.gather(x, indices, { axis: 0, batchDims: 1 })).to.throw(
      RangeError,
      'batchDims must be at most axis 0',
    );
  });

  it('have the gradients that differences show: places that repeat add up', () => {
    const places = tensor([[0, 1], [2, 0], [0, 1]], undefined, 'int32'); // prettier-ignore
    expectGradients((x) => ops.square(ops.gather(x, [1, 1, 0], { axis: 1 })), [randomTensor([3, 2, 4])]);
    expectGradients((x) => ops.square(ops.gatherNd(x, places)), [randomTensor([3, 2, 4])]);
    expectGradients((x) => ops.square(ops.scatterNd(places, x, [3, 2, 2])), [randomTensor([3, 2])]);
    expectFloat32((x) => ops.scatterNd(places, x, [3, 2, 17]), [randomTensor([3, 17])], 1e-6);
    expectFloat32((x) => ops.gather(x, [1, 1, 0], { axis: -1 }), [randomTensor([5, 17])], 1e-6);
    const y = ops.scatterNd(places, Float32Array.of(1, 2, 4), [3, 2]);
    expect(y.toArray()).to.deep.equal([[0, 5], [0, 0], [2, 0]]); // prettier-ignore
  });

  it('refuse places that there are not', () => {
    const x = numbered([3, 2]);
    const at = (...place: number[]) => tensor(Int32Array.from(place), [1, place.length]);
    expect(() => ops.gatherNd(x, at(0, 2))).to.throw(RangeError, 'indices[1] is 2, expected 0 to 2 (exclusive)');
    expect(() => ops.gatherNd(x, at(-1))).to.throw(RangeError, 'indices[0] is -1, expected 0 to 3 (exclusive)');
    expect(() => ops.gatherNd(x, at(0, 0, 0))).to.throw(RangeError, 'indices name places in 3 dimensions');
    expect(() => ops.gather(x, [2], { axis: 1 })).to.throw(RangeError, 'indices[0] is 2, expected 0 to 2 (exclusive)');
    expect(() => ops.scatterNd(at(3), Float32Array.of(1, 2), [3, 2])).to.throw(RangeError, 'updates has shape [2]');
    expect(() => ops.scatterNd(at(3), tensor([[1, 2]]), [3, 2])).to.throw(RangeError, 'indices[0] is 3');
    expect(() => ops.gatherNd(x, tensor([1]) as never)).to.throw(TypeError, 'indices is float32, expected int32');
  });
});

describe('where', () => {
  it('takes from one or the other, shapes broadcasting, for every type', () => {
    const cases = fc.tuple(shapes(3), fc.array(fc.boolean(), { minLength: 9, maxLength: 9 }), typed);
    fc.assert(
      fc.property(cases, ([shape, repeats, dtype]) => {
        const of = (k: number): number[] =>
          shape.map((size, d) => (repeats[3 * k + d] === true ? 1 : size)).slice(k === 1 ? 1 : 0);
        const [c, x, y] = [of(0), of(1), of(2)];
        const mask = numbered(c, 'bool') as unknown as BoolTensor;
        const [a, b] = [numbered(x, dtype), numbered(y, dtype)];
        const all = shape.map((size, d) =>
          [c, [1, ...x].slice(shape.length === 0 ? 1 : 0), y].every((s) => s[d] === 1) ? 1 : size,
        );
        const read = (t: { data: ArrayLike<number>; shape: readonly number[] }, index: number[]): number =>
          reader(
            t.data,
            t.shape,
          )(index.slice(index.length - t.shape.length).map((at, d) => (t.shape[d] === 1 ? 0 : at)));
        check(ops.where(mask, a, b), all, (index) => (read(mask, index) !== 0 ? read(a, index) : read(b, index)));
      }),
      runs,
    );
  });

  it('hides what it does not take, and what flows there', () => {
    const mask = tensor([true, false]);
    const x = tensor([1, NaN]);
    expect(ops.where(mask, x, 7).toArray()).to.deep.equal([1, 7]);
    const [dx] = gradients(() => ops.where(mask, ops.log(x), 0), [x]);
    expect((dx as Tensor).toArray()).to.deep.equal([1, NaN]); // log's own gradient: 0 / NaN
    const m = tensor([[true, false, true], [false, false, true]]); // prettier-ignore
    expectGradients((a, b) => ops.square(ops.where(m, a, b)), [randomTensor([3]), randomTensor([2, 1])]);
    expectFloat32((a, b) => ops.where(m, a, b), [randomTensor([2, 3]), randomTensor([])], 1e-6);
  });

  it('finds where a condition is true', () => {
    fc.assert(
      fc.property(shapes(4), (shape) => {
        const mask = numbered(shape, 'bool') as unknown as BoolTensor;
        const places = [...indicesOf(shape)].filter((index) => mask.data[placeOf(index, shape)] === 1);
        const found = ops.where(mask);
        expect(found.shape).to.deep.equal([places.length, shape.length]);
        expect([...found.data]).to.deep.equal(places.flat());
      }),
      runs,
    );
  });

  it('refuses other types and shapes', () => {
    const mask = tensor([true, false]);
    expect(() => ops.where(tensor([1]) as never, 1, 2)).to.throw(TypeError, 'condition is float32, expected bool');
    expect(() => ops.where([true] as never, 1, 2)).to.throw(TypeError, 'condition must be a Tensor of bool');
    expect(() => ops.where(mask, tensor([1]), tensor([1], [1], 'int32') as never)).to.throw(
      TypeError,
      'x is float32 and y is int32',
    );
    expect(() => ops.where(mask, tensor([1, 2, 3]), 1)).to.throw(RangeError, 'they do not broadcast');
    expect(() => ops.where(mask, tensor([1], [1], 'int32'), 0.5)).to.throw(RangeError, 'y must be a value of int32');
  });
});

describe('diag, diagPart and bandPart', () => {
  it('know the diagonals of every shape and type', () => {
    fc.assert(
      fc.property(
        shapes(2),
        fc.nat(6),
        fc.nat(6),
        fc.integer({ min: -1, max: 4 }),
        fc.integer({ min: -1, max: 4 }),
        typed,
        (lead, m, n, lower, upper, dtype) => {
          const x = numbered([...lead, m, n], dtype);
          const read = reader(x.data, x.shape);
          check(ops.diagPart(x), [...lead, Math.min(m, n)], (index) => read([...index, index.at(-1)!]));
          check(ops.bandPart(x, lower, upper), [...lead, m, n], (index) => {
            const [i, j] = index.slice(-2) as [number, number];
            return (lower < 0 || i - j <= lower) && (upper < 0 || j - i <= upper) ? read(index) : 0;
          });
          const d = numbered([...lead, n], dtype);
          check(ops.diag(d), [...lead, n, n], (index) =>
            index.at(-1) === index.at(-2) ? reader(d.data, d.shape)(index.slice(0, -1)) : 0,
          );
        },
      ),
      runs,
    );
    expectGradients((x) => ops.square(ops.diagPart(x)), [randomTensor([2, 3, 4])]);
    expectGradients((x) => ops.square(ops.diag(x)), [randomTensor([2, 3])]);
    expectGradients((x) => ops.square(ops.bandPart(x, 1, 0)), [randomTensor([2, 3, 3])]);
    expect(() => ops.diag(1)).to.throw(RangeError, 'x has shape []');
    expect(() => ops.diagPart(tensor([1]))).to.throw(RangeError, 'it must have at least two dimensions');
    expect(() => ops.bandPart(tensor([1]), 0, 0)).to.throw(RangeError, 'it must have at least two dimensions');
  });
});

describe('what makes tensors', () => {
  it('fills them', () => {
    expect(ops.zeros([2, 2]).toArray()).to.deep.equal([[0, 0], [0, 0]]); // prettier-ignore
    expect(ops.ones([2], 'bool').toArray()).to.deep.equal([true, true]);
    expect(ops.fill([2], 7, 'int32').toArray()).to.deep.equal([7, 7]);
    expect(ops.fill([], 0.5, 'float64').item()).to.equal(0.5);
    const like = tensor([[1, 2]], undefined, 'int32');
    expect([ops.zerosLike(like).dtype, ops.onesLike(like).toArray()]).to.deep.equal(['int32', [[1, 1]]]);
    expect(ops.eye(2).toArray()).to.deep.equal([[1, 0], [0, 1]]); // prettier-ignore
    expect(ops.eye(2, { numColumns: 1, batchShape: [2], dtype: 'int32' }).toArray()).to.deep.equal([
      [[1], [0]],
      [[1], [0]],
    ]);
    expect(() => ops.fill([1], 0.5, 'int32')).to.throw(RangeError, 'value must be one of int32, got 0.5');
    expect(() => ops.zeros([-1])).to.throw(RangeError, 'shape must hold whole numbers');
    expect(() => ops.ones([1], 'int8' as never)).to.throw(TypeError, 'dtype must be');
    expect(() => ops.eye(-1)).to.throw(RangeError, 'numRows');
  });

  it('counts', () => {
    expect(ops.range(3).data).to.deep.equal(Int32Array.of(0, 1, 2));
    expect(ops.range(5, 0, -2).toArray()).to.deep.equal([5, 3, 1]);
    expect(ops.range(0, 1, 0.25, 'float64').toArray()).to.deep.equal([0, 0.25, 0.5, 0.75]);
    expect(ops.range(3, 3).toArray()).to.deep.equal([]);
    expect(() => ops.range(0, 1, 0.25)).to.throw(RangeError, 'none of int32');
    expect(() => ops.range(0, 1, 0)).to.throw(RangeError, 'there is no range from 0 to 1 by 0');
    expect(() => ops.range(0, 1, -1)).to.throw(RangeError, 'there is no range');
    expect(ops.linspace(0, 1, 5, 'float64').toArray()).to.deep.equal([0, 0.25, 0.5, 0.75, 1]);
    expect(ops.linspace(3, 9, 1).toArray()).to.deep.equal([3]);
    expect(ops.linspace(0, 0.3, 4, 'float64').data.at(-1)).to.equal(0.3);
    expect(() => ops.linspace(0, 1, 0)).to.throw(RangeError, 'num must be at least 1');
  });

  it('makes one-hot rows, masks of sequences and grids', () => {
    const labels = tensor([[1, -1], [0, 3]], undefined, 'int32'); // prettier-ignore
    for (const axis of [-1, 0, 1] as const) {
      for (const dtype of types) {
        const y = ops.oneHot(labels, 3, { axis, dtype, onValue: 1, offValue: 0 });
        expect(y.dtype).to.equal(dtype);
        const at = axis < 0 ? 2 : axis;
        check(y, at === 0 ? [3, 2, 2] : at === 1 ? [2, 3, 2] : [2, 2, 3], (index) => {
          const own = index.filter((_, d) => d !== at);
          return Number(reader(labels.data, [2, 2])(own) === index[at]);
        });
      }
    }
    expect(ops.oneHot([1], 2, { onValue: 5, offValue: -1, dtype: 'float64' }).toArray()).to.deep.equal([[-1, 5]]);
    expect(() => ops.oneHot([0], -1)).to.throw(RangeError, 'depth must be a whole number');
    expect(ops.sequenceMask([0, 2, 5, -1], 3, { dtype: 'int32' }).toArray()).to.deep.equal([[0, 0, 0], [1, 1, 0], [1, 1, 1], [0, 0, 0]]); // prettier-ignore
    expect(ops.sequenceMask(tensor([[1], [2]], undefined, 'int32'), 2).toArray()).to.deep.equal([[[true, false]], [[true, true]]]); // prettier-ignore
    const [x, y] = ops.meshgrid([tensor([1, 2, 3]), tensor([4, 5])]);
    expect(x!.toArray()).to.deep.equal([[1, 2, 3], [1, 2, 3]]); // prettier-ignore
    expect(y!.toArray()).to.deep.equal([[4, 4, 4], [5, 5, 5]]); // prettier-ignore
    expect(ops.meshgrid([tensor([1, 2, 3]), tensor([4, 5])], { indexing: 'ij' })[0]!.shape).to.deep.equal([3, 2]);
    expectGradients(
      (a, b) => ops.mul(...(ops.meshgrid([a, b]) as [Tensor, Tensor])),
      [randomTensor([3]), randomTensor([2])],
    );
  });
});

describe('gradients of gradients', () => {
  it('go through ops on shapes', () => {
    const x = randomTensor([3, 4]);
    const mask = ops.cast(numbered([3, 4]), 'bool');
    const through: Record<string, (t: Tensor) => Tensor> = {
      slice: (t) => ops.slice(t, [1, 1], [2, 2]),
      strided: (t) => ops.stridedSlice(t, [2, 3], [-9, -9], { strides: [-1, -2] }),
      pad: (t) => ops.pad(t, [[1, 1], [0, 2]]), // prettier-ignore
      mirror: (t) => ops.pad(t, [[2, 1], [1, 1]], { mode: 'reflect' }), // prettier-ignore
      tile: (t) => ops.tile(t, [2, 2]),
      concat: (t) => ops.concat([t, t], 0),
      unstack: (t) => ops.stack(ops.unstack(t, { axis: 1 })),
      gather: (t) => ops.gather(t, [1, 1, 3], { axis: 1 }),
      gatherNd: (t) => ops.gatherNd(t, tensor([[0, 1], [0, 1]], undefined, 'int32')), // prettier-ignore
      where: (t) => ops.where(mask, t, 2),
      cumsum: (t) => ops.cumsum(t, { axis: 1 }),
      einsum: (t) => ops.einsum('ij,kj->ik', t, t),
      reverse: (t) => ops.reverse(t, 1),
      cast: (t) => ops.cast(t, 'float64'),
    };
    for (const [name, f] of Object.entries(through)) {
      expectGradients((t) => {
        const [first] = gradients(() => ops.mul(ops.square(f(t)), f(t)), [t]);
        return first as Tensor;
      }, [x], 1e-5); // prettier-ignore
      expect(name).to.be.a('string');
    }
    expectClose([1], [1], 0);
  });
});
