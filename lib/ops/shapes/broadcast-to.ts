import { record, toAnyTensor, type TensorLike } from '../../autodiff/tape';
import type { DType, TensorDType } from '../../tensor/dtype';
import { broadcastShapes, checkShape, sameShape, showShape } from '../../tensor/shape';
import type { Tensor } from '../../tensor/tensor';
import { repeated } from '../layout';
import { unbroadcast } from '../primitives';

/**
 * A tensor repeated to a shape, as NumPy broadcasts: aligned at the last dimension, one of size 1 or missing repeats.
 *
 * Gradient: the sum over the repetitions.
 *
 * @param x of any type
 * @throws TypeError for arguments of a wrong kind, RangeError for a shape that x does not broadcast to.
 * Source: `tf.broadcast_to`.
 */
export function broadcastTo<D extends TensorDType = DType>(
  x: TensorLike | Tensor<D>,
  shape: readonly number[],
): Tensor<D> {
  const input = toAnyTensor<D>('x', x);
  checkShape('shape', shape);
  const common = broadcastShapes(input.shape, shape);
  if (common === null || !sameShape(common, shape)) {
    throw new RangeError(`x has shape ${showShape(input.shape)}, which does not broadcast to ${showShape(shape)}`);
  }
  const { shape: own } = input;
  return record([input], repeated(input, [...shape]), (dy) => [unbroadcast(dy, own)]);
}
