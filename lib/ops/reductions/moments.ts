import { allocate } from '../../autodiff/scope';
import { toTensor, type TensorLike } from '../../autodiff/tape';
import type { Tensor } from '../../tensor/tensor';
import { kernels } from '../../tensor/trace';
import { add } from '../add';
import { exp } from '../exp';
import { extremeOf } from '../lines';
import { log } from '../log';
import { reduceMean } from '../reduce-mean';
import { reduceSum } from '../reduce-sum';
import { reductionOf, type ReduceOptions } from '../reduction';
import { reshape } from '../reshape';
import { sqrt } from '../sqrt';
import { square } from '../square';
import { sub } from '../sub';

// The greatest finite numbers.
const most = { float32: (2 - 2 ** -23) * 2 ** 127, float64: Number.MAX_VALUE };

/**
 * ln Σ eˣ over the given dimensions, shifted by the greatest, so that no eˣ overflows; -Infinity of nothing.
 *
 * Gradient: dx = dy eˣ / Σ eˣ.
 *
 * @param axes which dimensions; negative ones count from the end; an empty list names none. Default: all.
 * @throws TypeError for arguments of a wrong kind, RangeError for an axis that x does not have or that repeats.
 * Source: `tf.reduce_logsumexp`.
 */
export function reduceLogSumExp(x: TensorLike, axes?: number | readonly number[], options: ReduceOptions = {}): Tensor {
  const input = toTensor('x', x);
  const { axes: positions, shape, keptShape } = reductionOf(input, axes, options);
  const greatest = extremeOf(input, positions, keptShape, false);
  const shift = allocate(input.dtype, keptShape, greatest.size); // of what is infinite as good as anything
  kernels.clipByValue(shift.operand, greatest.operand, -most[input.dtype], most[input.dtype]);
  const sum = reduceSum(exp(sub(input, shift)), positions, { keepDims: true });
  return reshape(add(log(sum), shift), shape);
}

/**
 * The mean of (x - mean of x)² over the given dimensions; NaN of nothing.
 *
 * Gradient: dx = dy 2 (x - mean of x) / n, for n elements.
 *
 * @param axes which dimensions; negative ones count from the end; an empty list names none. Default: all.
 * @throws TypeError for arguments of a wrong kind, RangeError for an axis that x does not have or that repeats.
 * Source: `tf.math.reduce_variance`.
 */
export function reduceVariance(x: TensorLike, axes?: number | readonly number[], options: ReduceOptions = {}): Tensor {
  const input = toTensor('x', x);
  const { axes: positions } = reductionOf(input, axes, options);
  const mean = reduceMean(input, positions, { keepDims: true });
  return reduceMean(square(sub(input, mean)), positions, options);
}

/**
 * The standard deviation over the given dimensions: √ of `reduceVariance`.
 *
 * Gradient: dx = dy (x - mean of x) / (n y), not finite where y is 0.
 *
 * @param axes which dimensions; negative ones count from the end; an empty list names none. Default: all.
 * @throws TypeError for arguments of a wrong kind, RangeError for an axis that x does not have or that repeats.
 * Source: `tf.math.reduce_std`.
 */
export function reduceStd(x: TensorLike, axes?: number | readonly number[], options: ReduceOptions = {}): Tensor {
  return sqrt(reduceVariance(x, axes, options));
}
