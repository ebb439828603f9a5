import { allocate } from '../autodiff/scope';
import { derived, operandOf } from '../autodiff/way-back';
import { bytesPerElement } from '../tensor/arrays';
import type { TensorDType } from '../tensor/dtype';
import { sizeOf, type Shape } from '../tensor/shape';
import type { Int32Tensor, Tensor } from '../tensor/tensor';
import { kernels, trace } from '../tensor/trace';

// Elements by their numbers, and the way back: sums of what was picked, in its order.

/** The logarithm of an element's bytes, as tasks want it. */
export const sizeOption = (dtype: TensorDType): number => Math.log2(bytesPerElement[dtype]);

/** What is picked along one dimension. */
export interface Picks {
  readonly indices: Int32Tensor;
  /** batches, outer, count, limit, inner: x is [batches, outer, limit, inner], indices are [batches, count]. */
  readonly sizes: readonly [number, number, number, number, number];
  /** That of what is picked. */
  readonly shape: Shape;
}

/** out[b, o, i] = x[b, o, indices[b, i]]. @throws RangeError for an index out of range. */
export function picked<D extends TensorDType>(x: Tensor<D>, picks: Picks): Tensor<D> {
  const { indices, sizes, shape } = picks;
  const out = allocate(x.dtype, shape, sizeOf(shape));
  const parts = { option: sizeOption(x.dtype), sizes };
  explained('indices', indices, [sizes[3]], () =>
    kernels.task('gatherAt', x.dtype, [out.operand, operandOf(x), indices.operand], parts),
  );
  return derived([x], out, (dy) => [unpicked(dy, picks, x.shape)]);
}

/** Zeros of this shape, to which dy is added where it was picked. */
export function unpicked(dy: Tensor, picks: Picks, shape: Shape): Tensor {
  const { indices, sizes } = picks;
  const out = allocate(dy.dtype, shape, sizeOf(shape));
  kernels.fill(out.operand, 0);
  kernels.task('scatterAddAt', dy.dtype, [out.operand, operandOf(dy), indices.operand], { sizes, numbers: [1] });
  return derived([dy], out, (d) => [picked(d, picks)]);
}

/** Elements or parts by their places: indices is [...shape, rank of dims]. */
export interface PlacePicks {
  readonly indices: Int32Tensor;
  /** count, inner. */
  readonly sizes: readonly [number, number];
  readonly dims: Shape;
}

/** out[i] = x[...indices[i]]. @throws RangeError for an index out of range. */
export function pickedNd<D extends TensorDType>(x: Tensor<D>, picks: PlacePicks, shape: Shape): Tensor<D> {
  const { indices, sizes, dims } = picks;
  const out = allocate(x.dtype, shape, sizeOf(shape));
  const parts = { option: sizeOption(x.dtype), sizes, items: dims };
  explained('indices', indices, dims, () =>
    kernels.task('gatherNd', x.dtype, [out.operand, operandOf(x), indices.operand], parts),
  );
  return derived([x], out, (dy) => [unpickedNd(dy, picks, x.shape)]);
}

/** Zeros of this shape, to which values are added at their places. @throws RangeError for an index out of range. */
export function unpickedNd(values: Tensor, picks: PlacePicks, shape: Shape): Tensor {
  const { indices, sizes, dims } = picks;
  const out = allocate(values.dtype, shape, sizeOf(shape));
  kernels.fill(out.operand, 0);
  explained('indices', indices, dims, () =>
    kernels.task('scatterNdAdd', values.dtype, [out.operand, operandOf(values), indices.operand], {
      sizes,
      items: dims,
    }),
  );
  return derived([values], out, (dy) => [pickedNd(dy, picks, values.shape)]);
}

/** Runs `f`, and says which index is out of range when it says that one is; limits are those of the last dimension's. */
function explained(name: string, indices: Int32Tensor, limits: readonly number[], f: () => void): void {
  try {
    f();
  } catch (error) {
    if (trace !== null || !(error instanceof RangeError)) throw error;
    const at = indices.data.findIndex((index, i) => index < 0 || index >= limits[i % limits.length]!);
    if (at < 0) throw error;
    const limit = limits[at % limits.length];
    throw new RangeError(`${name}[${at}] is ${indices.data[at]}, expected 0 to ${limit} (exclusive)`, {
      cause: error,
    });
  }
}
