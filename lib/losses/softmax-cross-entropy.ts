import type { TensorLike } from '../autodiff/tape';
import { add, mul, softmaxCrossEntropyWithLogits, stopGradient } from '../ops';
import type { Tensor } from '../tensor/tensor';
import { refuseClasses } from '../ops/classes';
import { alike } from './inputs';
import { smoothing, type SmoothedLossOptions } from './smoothing';
import { computeWeightedLoss } from './weighted';

/**
 * `ops.softmaxCrossEntropyWithLogits` of labels that are moved towards all classes alike,
 * labels (1 - labelSmoothing) + labelSmoothing / classes, weighted and reduced. No gradient flows to the labels.
 *
 * @param onehotLabels [..., classes]
 * @param logits of the same shape; the loss before it is reduced is [...].
 *
 * @returns a tensor without dimensions; with `Reduction.NONE` one of the shape that is said above.
 * @throws TypeError for arguments of a wrong kind or of different dtypes, RangeError for different shapes, weights that do not
 * broadcast or another reduction.
 * Source: `tf.losses.softmax_cross_entropy`.
 */
export function softmaxCrossEntropy(
  onehotLabels: TensorLike,
  logits: TensorLike,
  options: SmoothedLossOptions = {},
): Tensor {
  const { labelSmoothing, rest } = smoothing(options);
  refuseClasses('onehotLabels', onehotLabels, 'sparseSoftmaxCrossEntropy');
  const [z, x] = alike('onehotLabels', onehotLabels, 'logits', logits);
  const classes = x.shape.at(-1) ?? 1;
  const labels = labelSmoothing > 0 ? add(mul(z, 1 - labelSmoothing), labelSmoothing / classes) : z;
  return computeWeightedLoss(softmaxCrossEntropyWithLogits(stopGradient(labels), x), rest);
}
