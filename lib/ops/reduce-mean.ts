import type { Tensor } from '../tensor/tensor';
import { broadcastTo, reshaped, scaled, summed } from './primitives';
import { record, toTensor, type TensorLike } from '../autodiff/tape';
import { reductionOf, type ReduceOptions } from './reduction';

/**
 * The mean over the given dimensions: their sum in double precision, divided by their count n; NaN when n = 0.
 *
 * Every element's gradient is that of the mean it went into, divided by n.
 *
 * @param axes which dimensions to average over; negative ones count from the end; an empty list names none. Default: all.
 * @throws TypeError for arguments of a wrong kind, RangeError for an axis that x does not have or that repeats.
 * Source: `tf.reduce_mean`.
 */
export function reduceMean(x: TensorLike, axes?: number | readonly number[], options: ReduceOptions = {}): Tensor {
  const input = toTensor('x', x);
  const { axes: positions, shape, keptShape, count } = reductionOf(input, axes, options);
  return record([input], summed(input, positions, shape, 1 / count), (dy) => [
    broadcastTo(reshaped(scaled(dy, 1 / count), keptShape), input.shape),
  ]);
}
