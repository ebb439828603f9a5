import { stopGradient, toTensor, type TensorLike } from '../autodiff/tape';
import type { Tensor } from '../tensor/tensor';
import { reduceMean } from './reduce-mean';
import { reductionOf, type ReduceOptions } from './reduction';
import { square } from './square';
import { sub } from './sub';
import { reshape } from './reshape';

/** Mean and variance of the same elements. */
export interface Moments {
  readonly mean: Tensor;
  readonly variance: Tensor;
}

/**
 * Mean and variance over the given dimensions, each summed in double precision: variance = Σ (x - mean)² / n.
 *
 * Gradients are those of the two formulas: of the mean dmean / n, of the variance dvariance · 2 (x - mean) / n.
 *
 * @param axes which dimensions to reduce; negative ones count from the end. Default: all.
 * @throws TypeError for arguments of a wrong kind, RangeError for an axis that x does not have or that repeats.
 * Source: `tf.nn.moments`.
 */
export function moments(x: TensorLike, axes?: number | readonly number[], options: ReduceOptions = {}): Moments {
  const input = toTensor('x', x);
  const { axes: positions, shape } = reductionOf(input, axes, options);
  const mean = reduceMean(input, positions, { keepDims: true });
  const variance = reduceMean(square(sub(input, stopGradient(mean))), positions, { keepDims: true });
  return { mean: reshape(mean, shape), variance: reshape(variance, shape) };
}
