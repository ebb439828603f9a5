import { IndexedSlices, toIndices } from '../tensor/indexed-slices';
import { native } from '../native';
import { sizeOf } from '../tensor/shape';
import type { Tensor } from '../tensor/tensor';
import { allocate } from '../autodiff/scope';
import { record, toTensor, type TensorLike } from '../autodiff/tape';

/**
 * Rows of `params`: y[i] = params[indices[i]].
 *
 * The gradient is an IndexedSlices: dy's rows with these indices, whatever the number of rows in params.
 *
 * @param params [rows, ...row]
 * @param indices n whole numbers, 0 to rows - 1; they may repeat.
 * @returns [n, ...row]
 * @throws TypeError for arguments of a wrong kind, RangeError for an index that is no row or params without a dimension.
 * Source: `tf.gather`.
 */
export function gather(params: TensorLike, indices: Int32Array | readonly number[]): Tensor {
  const input = toTensor('params', params);
  // The gradient outlives the step, the caller's array may change before.
  const own = indices instanceof Int32Array ? indices.slice() : toIndices('indices', indices);
  const [rows, ...row] = input.shape;
  if (rows === undefined) throw new RangeError('params has shape []: it must have at least one dimension');
  const columns = sizeOf(row);
  const y = allocate(input.dtype, [own.length, ...row], own.length * columns);
  native.gather(y.raw, input.data, own, rows, columns);
  return record([input], y, (dy) => [new IndexedSlices(dy, own, input.shape)]);
}
