import { toTensor, type TensorLike } from '../autodiff/tape';
import { shown } from '../checks';
import { checkOptions, type NamesOf } from '../options';
import { showShape, sizeOf } from '../tensor/shape';
import type { Tensor } from '../tensor/tensor';
import { normalizedColumns } from './column-norm';
import { checkEpsilon, parameter } from './normalized';

export interface GroupNormOptions {
  /** The gain of each channel. Default: 1. */
  gamma?: TensorLike;
  /** The offset of each channel. Default: 0. */
  beta?: TensorLike;
  /** Added to the variance. Default: 1e-5. */
  epsilon?: number;
}

const names: NamesOf<GroupNormOptions> = { gamma: true, beta: true, epsilon: true };

/**
 * Normalisation of each example by groups of neighbouring channels: y = (x - mean) / √(variance + ε) · gamma + beta, mean and
 * variance being those of an example's elements in a group of channels.
 *
 * The gradient of x is `layerNorm`'s, the mean running over a group; those of gamma and beta are sums over all but channels.
 *
 * @param x [batch, ..., channels]
 * @param groups how many: channels is a multiple.
 * @returns a tensor of x's shape and dtype.
 * @throws TypeError for arguments of a wrong kind or dtype, RangeError for an x of less than two dimensions, channels that do
 * not divide into so many groups, or a gamma or beta of another shape.
 * Source: Wu, He: "Group normalization", 2018; `tf.contrib.layers.group_norm`.
 */
export function groupNorm(x: TensorLike, groups: number, options: GroupNormOptions = {}): Tensor {
  const input = toTensor('x', x);
  if (typeof groups !== 'number') throw new TypeError(`groups must be a number, got ${shown(groups)}`);
  const channels = input.shape.at(-1) ?? 0;
  if (!Number.isInteger(groups) || groups < 1 || channels % groups !== 0) {
    throw new RangeError(`groups must divide x's ${channels} channels, got ${groups}`);
  }
  return byGroups(input, groups, options);
}

/**
 * Normalisation of each example and channel by itself: `groupNorm` with groups of one channel.
 *
 * @param x [batch, ..., channels]
 * @returns a tensor of x's shape and dtype.
 * @throws as `groupNorm`.
 * Source: Ulyanov, Vedaldi, Lempitsky: "Instance normalization", 2016; `tf.contrib.layers.instance_norm`.
 */
export function instanceNorm(x: TensorLike, options: GroupNormOptions = {}): Tensor {
  const input = toTensor('x', x);
  return byGroups(input, input.shape.at(-1) ?? 0, options);
}

function byGroups(x: Tensor, groups: number, options: GroupNormOptions): Tensor {
  checkOptions('options', options, names);
  const { epsilon = 1e-5 } = options;
  checkEpsilon(epsilon);
  const { shape } = x;
  if (shape.length < 2) throw new RangeError(`x has shape ${showShape(shape)}, expected [batch, ..., channels]`);
  const [outer, inner] = [shape[0]!, shape.at(-1)!];
  const gamma = parameter('gamma', options.gamma, x, [inner]);
  const beta = parameter('beta', options.beta, x, [inner]);
  const reduced = sizeOf(shape.slice(1, -1));
  return normalizedColumns(x, { outer, reduced, inner, groups, epsilon, gamma, beta }).y;
}
