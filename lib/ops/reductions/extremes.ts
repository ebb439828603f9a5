import { record, toTensor, type TensorLike } from '../../autodiff/tape';
import type { Tensor } from '../../tensor/tensor';
import { extremeOf } from '../lines';
import { binary, reshaped, summed } from '../primitives';
import { reductionOf, type ReduceOptions } from '../reduction';

/**
 * The greatest over the given dimensions; NaN where there is one, -Infinity of nothing.
 *
 * Gradient: dy where x is the greatest; several that are share it equally. Where it is NaN, so is the gradient.
 *
 * @param axes which dimensions; negative ones count from the end; an empty list names none. Default: all.
 * @throws TypeError for arguments of a wrong kind, RangeError for an axis that x does not have or that repeats.
 * Source: `tf.reduce_max`.
 */
export function reduceMax(x: TensorLike, axes?: number | readonly number[], options: ReduceOptions = {}): Tensor {
  return extreme(x, axes, options, false);
}

/**
 * The least over the given dimensions; NaN where there is one, Infinity of nothing.
 *
 * Gradient: dy where x is the least; several that are share it equally. Where it is NaN, so is the gradient.
 *
 * @param axes which dimensions; negative ones count from the end; an empty list names none. Default: all.
 * @throws TypeError for arguments of a wrong kind, RangeError for an axis that x does not have or that repeats.
 * Source: `tf.reduce_min`.
 */
export function reduceMin(x: TensorLike, axes?: number | readonly number[], options: ReduceOptions = {}): Tensor {
  return extreme(x, axes, options, true);
}

function extreme(
  x: TensorLike,
  axes: number | readonly number[] | undefined,
  options: ReduceOptions,
  least: boolean,
): Tensor {
  const input = toTensor('x', x);
  const { axes: positions, shape, keptShape } = reductionOf(input, axes, options);
  const y = extremeOf(input, positions, shape, least);
  return record([input], y, (dy) => {
    const isIt = binary(least ? 'lessEqual' : 'greaterEqual', input, reshaped(y, keptShape));
    const share = binary('divide', reshaped(dy, keptShape), summed(isIt, positions, keptShape));
    return [binary('multiply', isIt, share)];
  });
}
