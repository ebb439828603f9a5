import type { Tensor } from '../tensor/tensor';
import { broadcastTo, reshaped, summed } from './primitives';
import { record, toTensor, type TensorLike } from '../autodiff/tape';
import { reductionOf, type ReduceOptions } from './reduction';

/**
 * The sum over the given dimensions, added up in double precision; 0 when there is nothing to add.
 *
 * Every element's gradient is that of the sum it went into.
 *
 * @param axes which dimensions to sum over; negative ones count from the end; an empty list names none. Default: all.
 * @throws TypeError for arguments of a wrong kind, RangeError for an axis that x does not have or that repeats.
 * Source: `tf.reduce_sum`.
 */
export function reduceSum(x: TensorLike, axes?: number | readonly number[], options: ReduceOptions = {}): Tensor {
  const input = toTensor('x', x);
  const { axes: positions, shape, keptShape } = reductionOf(input, axes, options);
  return record([input], summed(input, positions, shape), (dy) => [broadcastTo(reshaped(dy, keptShape), input.shape)]);
}
