import { IndexedSlices, ownIndices, type IndicesLike } from '../tensor/indexed-slices';
import { kernels } from '../tensor/trace';
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
export function gather(params: TensorLike, indices: IndicesLike): Tensor {
  const input = toTensor('params', params);
  const own = ownIndices('indices', indices);
  const [rows, ...row] = input.shape;
  if (rows === undefined) throw new RangeError('params has shape []: it must have at least one dimension');
  const columns = sizeOf(row);
  const y = allocate(input.dtype, [own.length, ...row], own.length * columns);
  kernels.gather(y.operand, input.operand, own, rows, columns);
  return record([input], y, (dy) => [new IndexedSlices(dy, own, input.shape)]);
}
