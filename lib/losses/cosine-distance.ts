import type { TensorLike } from '../autodiff/tape';
import { checkNumber } from '../checks';
import { mul, reduceSum, sub } from '../ops';
import type { Tensor } from '../tensor/tensor';
import { alike } from './inputs';
import { computeWeightedLoss, type LossOptions } from './weighted';

/**
 * 1 - Σ labels predictions along a dimension, which has size 1 then; weighted and reduced. Both are taken to have length 1
 * along that dimension: it is not made so.
 *
 * @param predictions of the shape of labels.
 * @param axis which dimension; a negative one counts from the end.
 *
 * @returns a tensor without dimensions; with `Reduction.NONE` one of the shape that is said above.
 * @throws TypeError for arguments of a wrong kind or of different dtypes, RangeError for different shapes, an axis that
 * there is not, weights that do not broadcast or another reduction.
 * Source: `tf.losses.cosine_distance`.
 */
export function cosineDistance(
  labels: TensorLike,
  predictions: TensorLike,
  axis: number,
  options: LossOptions = {},
): Tensor {
  checkNumber('axis', axis);
  const [z, y] = alike('labels', labels, 'predictions', predictions);
  return computeWeightedLoss(sub(1, reduceSum(mul(y, z), axis, { keepDims: true })), options);
}
