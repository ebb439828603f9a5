import { toTensor, type TensorLike } from '../autodiff/tape';
import { checkOptions, type NamesOf } from '../options';
import { normalizeAxes, showShape, sizeOf, type Shape } from '../tensor/shape';
import type { Tensor } from '../tensor/tensor';
import { checkEpsilon, parameter } from './normalized';
import { normalizedRows } from './row-norm';

export interface LayerNormOptions {
  /** The gain, of the shape that is normalised over. Default: 1. */
  gamma?: TensorLike;
  /** The offset, of the same shape. Default: 0. */
  beta?: TensorLike;
  /** The last dimensions, which are normalised over; negative ones count from the end. Default: -1. */
  axes?: number | readonly number[];
  /** Added to the variance. Default: 1e-5. */
  epsilon?: number;
}

const names: NamesOf<LayerNormOptions> = { gamma: true, beta: true, axes: true, epsilon: true };

/**
 * Layer normalisation: y = (x - mean) / √(variance + ε) · gamma + beta, mean and variance being those of the last
 * dimension, or of the last few. Both are summed in double precision.
 *
 * Gradients, with x̂ = (x - mean) r, r = 1 / √(variance + ε) and g = dy · gamma: dx = r (g - mean(g) - x̂ mean(g x̂)); of
 * gamma Σ dy x̂, of beta Σ dy.
 *
 * @returns a tensor of x's shape and dtype.
 * @throws TypeError for arguments of a wrong kind or dtype, RangeError for axes that are not the last ones, or a gamma or
 * beta of another shape.
 * Source: Ba, Kiros, Hinton: "Layer normalization", 2016; `tf.contrib.layers.layer_norm`.
 */
export function layerNorm(x: TensorLike, options: LayerNormOptions = {}): Tensor {
  checkOptions('options', options, names);
  const { axes = -1, epsilon = 1e-5 } = options;
  checkEpsilon(epsilon);
  const input = toTensor('x', x);
  const shape = lastShape(input, axes);
  const gamma = parameter('gamma', options.gamma, input, shape);
  const beta = parameter('beta', options.beta, input, shape);
  return normalizedRows(input, 'layer', { columns: sizeOf(shape), epsilon, gamma, beta });
}

/** The shape of the last dimensions of x. @throws RangeError where `axes` are others. */
export function lastShape({ shape }: Tensor, axes: number | readonly number[]): Shape {
  const rank = shape.length;
  if (rank === 0) throw new RangeError('x has shape []: it must have at least one dimension');
  const positions = normalizeAxes('axes', axes, rank);
  const first = rank - positions.length;
  if (positions.length === 0 || positions.some((position, i) => position !== first + i)) {
    throw new RangeError(
      `axes must be the last dimensions of x, whose shape is ${showShape(shape)}, got [${positions.join(', ')}]`,
    );
  }
  return shape.slice(first);
}
