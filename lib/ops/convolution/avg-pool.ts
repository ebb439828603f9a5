import type { TensorLike } from '../../autodiff/tape';
import type { Tensor } from '../../tensor/tensor';
import { pooled, type PoolOptions } from './pool';
import type { Pair } from './window';

/**
 * The mean of what each window sees of an image, channel by channel; what lies outside is not counted.
 *
 * Gradient: dy / n for each of the n elements that the window sees.
 *
 * @param x [images, height, width, channels].
 * @param size of the window: [down, across], or a number for both.
 * @returns [images, windows down, windows across, channels]; how many there are is told at `Padding`.
 * @throws TypeError for arguments of a wrong kind, RangeError for values out of range and shapes that do not fit.
 * Source: `tf.nn.avg_pool`.
 */
export function avgPool(x: TensorLike, size: Pair, options: PoolOptions = {}): Tensor {
  return pooled(x, size, options, true);
}
