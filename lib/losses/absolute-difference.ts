import type { TensorLike } from '../autodiff/tape';
import { abs, sub } from '../ops';
import type { Tensor } from '../tensor/tensor';
import { alike } from './inputs';
import { computeWeightedLoss, type LossOptions } from './weighted';

/**
 * |predictions - labels|, element by element, weighted and reduced.
 *
 * @param predictions of the shape of labels, as is the loss before it is reduced.
 *
 * @returns a tensor without dimensions; with `Reduction.NONE` one of the shape that is said above.
 * @throws TypeError for arguments of a wrong kind or of different dtypes, RangeError for different shapes, weights that do not
 * broadcast or another reduction.
 * Source: `tf.losses.absolute_difference`.
 */
export function absoluteDifference(labels: TensorLike, predictions: TensorLike, options: LossOptions = {}): Tensor {
  const [z, y] = alike('labels', labels, 'predictions', predictions);
  return computeWeightedLoss(abs(sub(y, z)), options);
}
