import { toTensor, type TensorLike } from '../autodiff/tape';
import { checkOptions, type NamesOf } from '../options';
import { sizeOf } from '../tensor/shape';
import type { Tensor } from '../tensor/tensor';
import { lastShape } from './layer-norm';
import { checkEpsilon, parameter } from './normalized';
import { normalizedRows } from './row-norm';

export interface RmsNormOptions {
  /** The gain, of the shape that is normalised over. Default: 1. */
  gamma?: TensorLike;
  /** The last dimensions, which are normalised over; negative ones count from the end. Default: -1. */
  axes?: number | readonly number[];
  /** Added to the mean square. Default: 1e-6. */
  epsilon?: number;
}

const names: NamesOf<RmsNormOptions> = { gamma: true, axes: true, epsilon: true };

/**
 * Normalisation by the root of the mean square: y = x / √(mean(x²) + ε) · gamma, along the last dimension, or the last few.
 *
 * Gradients, with x̂ = x r, r = 1 / √(mean(x²) + ε) and g = dy · gamma: dx = r (g - x̂ mean(g x̂)); of gamma Σ dy x̂.
 *
 * @returns a tensor of x's shape and dtype.
 * @throws TypeError for arguments of a wrong kind or dtype, RangeError for axes that are not the last ones, or a gamma of
 * another shape.
 * Source: Zhang, Sennrich: "Root mean square layer normalization", 2019.
 */
export function rmsNorm(x: TensorLike, options: RmsNormOptions = {}): Tensor {
  checkOptions('options', options, names);
  const { axes = -1, epsilon = 1e-6 } = options;
  checkEpsilon(epsilon);
  const input = toTensor('x', x);
  const shape = lastShape(input, axes);
  const gamma = parameter('gamma', options.gamma, input, shape);
  return normalizedRows(input, 'rms', { columns: sizeOf(shape), epsilon, gamma });
}
