import type { TensorLike } from '../autodiff/tape';
import { add, mul, reduceLogSumExp, reduceMean, sparseSoftmaxCrossEntropyWithLogits, sub } from '../ops';
import type { IndicesLike } from '../tensor/indexed-slices';
import type { Tensor } from '../tensor/tensor';
import { smoothing, type SmoothedLossOptions } from './smoothing';
import { computeWeightedLoss } from './weighted';

/**
 * `ops.sparseSoftmaxCrossEntropyWithLogits`, weighted and reduced. With `labelSmoothing` it is what `softmaxCrossEntropy` makes of
 * labels that are 1 at their class: (1 - labelSmoothing) of the loss, and labelSmoothing of its mean over all classes.
 *
 * @param labels the right class of every row; rows in order, whatever the leading dimensions.
 * @param logits [..., classes]; the loss before it is reduced is [...].
 *
 * @returns a tensor without dimensions; with `Reduction.NONE` one of the shape that is said above.
 * @throws TypeError for arguments of a wrong kind, RangeError for a label that is no class, another number of labels than rows,
 * weights that do not broadcast, smoothing outside of [0, 1] or another reduction.
 * Source: `tf.losses.sparse_softmax_cross_entropy`; smoothing as of `torch.nn.CrossEntropyLoss`.
 */
export function sparseSoftmaxCrossEntropy(
  labels: IndicesLike,
  logits: TensorLike,
  options: SmoothedLossOptions = {},
): Tensor {
  const { labelSmoothing, rest } = smoothing(options);
  const loss = sparseSoftmaxCrossEntropyWithLogits(labels, logits);
  if (labelSmoothing === 0) return computeWeightedLoss(loss, rest);
  const ofAll = sub(reduceLogSumExp(logits, -1), reduceMean(logits, -1));
  return computeWeightedLoss(add(mul(loss, 1 - labelSmoothing), mul(ofAll, labelSmoothing)), rest);
}
