import { record, toAnyTensor, toTensor, type TensorLike } from '../../autodiff/tape';
import type { DType, TensorDType } from '../../tensor/dtype';
import { ownIndexTensor } from '../../tensor/indexed-slices';
import { checkShape, sameShape, showShape, sizeOf, type Shape } from '../../tensor/shape';
import type { Int32Tensor, Tensor } from '../../tensor/tensor';
import { pickedNd, unpickedNd, type PlacePicks } from '../picks';

/**
 * Elements or parts of `params` by their places: y[...i] = params[...indices[...i]].
 *
 * Gradient: dy added up at these places, in their order.
 *
 * @param params of any type
 * @param indices an int32 tensor [..., n]: each row names an element's place in the first n dimensions of params.
 * @returns [..., ...the dimensions of params after these n]
 * @throws TypeError for arguments of a wrong kind, RangeError for a place that there is not, or more numbers in it than params
 * has dimensions.
 * Source: `tf.gather_nd`.
 */
export function gatherNd<D extends TensorDType = DType>(
  params: TensorLike | Tensor<D>,
  indices: Int32Tensor,
): Tensor<D> {
  const input = toAnyTensor<D>('params', params);
  const own = ownIndexTensor('indices', indices);
  const picks = picksOf('params', input.shape, own);
  const shape = [...own.shape.slice(0, -1), ...input.shape.slice(picks.dims.length)];
  return record([input], pickedNd(input, picks, shape), (dy) => [unpickedNd(dy, picks, input.shape)]);
}

/**
 * Zeros, to which updates are added at their places: y[...indices[...i]] += updates[...i], in the order of i.
 *
 * Gradient of updates: dy at these places.
 *
 * @param indices an int32 tensor [..., n]: each row names a place in the first n dimensions of the shape.
 * @param updates [..., ...the dimensions of the shape after these n]
 * @param shape that of the result.
 * @throws TypeError for arguments of a wrong kind, RangeError for a place that there is not, or shapes that do not fit.
 * Source: `tf.scatter_nd`.
 */
export function scatterNd(indices: Int32Tensor, updates: TensorLike, shape: readonly number[]): Tensor {
  const own = ownIndexTensor('indices', indices);
  const input = toTensor('updates', updates);
  checkShape('shape', shape);
  const picks = picksOf('shape', shape, own);
  const expected = [...own.shape.slice(0, -1), ...shape.slice(picks.dims.length)];
  if (!sameShape(input.shape, expected)) {
    throw new RangeError(
      `updates has shape ${showShape(input.shape)}, indices has shape ${showShape(own.shape)}, shape is ${showShape(shape)}: updates of shape ${showShape(expected)} were expected`,
    );
  }
  return record([input], unpickedNd(input, picks, [...shape]), (dy) => [pickedNd(dy, picks, input.shape)]);
}

function picksOf(name: string, shape: Shape, indices: Int32Tensor): PlacePicks {
  const depth = indices.shape.at(-1);
  if (depth === undefined) throw new RangeError('indices has shape []: it must have at least one dimension');
  if (depth > shape.length) {
    throw new RangeError(`${name} has shape ${showShape(shape)}, indices name places in ${depth} dimensions`);
  }
  const count = sizeOf(indices.shape.slice(0, -1));
  return { indices, sizes: [count, sizeOf(shape.slice(depth))], dims: shape.slice(0, depth) };
}
