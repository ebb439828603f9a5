import type { TensorLike } from '../../autodiff/tape';
import type { Tensor } from '../../tensor/tensor';
import { pooled, type PoolOptions } from './pool';
import type { Pair } from './window';

/**
 * The largest element that each window sees, channel by channel; what lies outside of an image does not take part. NaN where
 * a window sees one.
 *
 * Gradient: dy goes to the first of the window's largest elements, or to its first NaN.
 *
 * @param x [images, height, width, channels].
 * @param size of the window: [down, across], or a number for both.
 * @returns [images, windows down, windows across, channels]; how many there are is told at `Padding`.
 * @throws TypeError for arguments of a wrong kind, RangeError for values out of range and shapes that do not fit.
 * Source: `tf.nn.max_pool`.
 */
export function maxPool(x: TensorLike, size: Pair, options: PoolOptions = {}): Tensor {
  return pooled(x, size, options, false);
}
