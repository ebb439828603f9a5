import type { TensorLike } from '../autodiff/tape';
import { mul, relu, sub } from '../ops';
import type { Tensor } from '../tensor/tensor';
import { alike } from './inputs';
import { computeWeightedLoss, type LossOptions } from './weighted';

/**
 * max(0, 1 - (2 labels - 1) logits), element by element, weighted and reduced.
 *
 * @param labels 0 or 1.
 * @param logits of the shape of labels, as is the loss before it is reduced.
 *
 * @returns a tensor without dimensions; with `Reduction.NONE` one of the shape that is said above.
 * @throws TypeError for arguments of a wrong kind or of different dtypes, RangeError for different shapes, weights that do not
 * broadcast or another reduction.
 * Source: `tf.losses.hinge_loss`.
 */
export function hingeLoss(labels: TensorLike, logits: TensorLike, options: LossOptions = {}): Tensor {
  const [z, x] = alike('labels', labels, 'logits', logits);
  return computeWeightedLoss(relu(sub(1, mul(sub(mul(z, 2), 1), x))), options);
}
