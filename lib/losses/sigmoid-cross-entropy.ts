import type { TensorLike } from '../autodiff/tape';
import { add, mul, sigmoidCrossEntropyWithLogits } from '../ops';
import type { Tensor } from '../tensor/tensor';
import { alike } from './inputs';
import { smoothing, type SmoothedLossOptions } from './smoothing';
import { computeWeightedLoss } from './weighted';

/**
 * `ops.sigmoidCrossEntropyWithLogits` of labels that are moved towards 1/2, labels (1 - labelSmoothing) + labelSmoothing / 2,
 * weighted and reduced.
 *
 * @param multiClassLabels probabilities.
 * @param logits of the same shape, as is the loss before it is reduced.
 *
 * @returns a tensor without dimensions; with `Reduction.NONE` one of the shape that is said above.
 * @throws TypeError for arguments of a wrong kind or of different dtypes, RangeError for different shapes, weights that do not
 * broadcast or another reduction.
 * Source: `tf.losses.sigmoid_cross_entropy`.
 */
export function sigmoidCrossEntropy(
  multiClassLabels: TensorLike,
  logits: TensorLike,
  options: SmoothedLossOptions = {},
): Tensor {
  const { labelSmoothing, rest } = smoothing(options);
  const [z, x] = alike('multiClassLabels', multiClassLabels, 'logits', logits);
  const labels = labelSmoothing > 0 ? add(mul(z, 1 - labelSmoothing), 0.5 * labelSmoothing) : z;
  return computeWeightedLoss(sigmoidCrossEntropyWithLogits(labels, x), rest);
}
