import type { TensorLike } from '../autodiff/tape';
import { sparseSoftmaxCrossEntropyWithLogits } from '../ops';
import type { IndicesLike } from '../tensor/indexed-slices';
import type { Tensor } from '../tensor/tensor';
import { computeWeightedLoss, type LossOptions } from './weighted';

/**
 * `ops.sparseSoftmaxCrossEntropyWithLogits`, weighted and reduced.
 *
 * @param labels the right class of every row; rows in order, whatever the leading dimensions.
 * @param logits [..., classes]; the loss before it is reduced is [...].
 *
 * @returns a tensor without dimensions; with `Reduction.NONE` one of the shape that is said above.
 * @throws TypeError for arguments of a wrong kind, RangeError for a label that is no class, another number of labels than rows,
 * weights that do not broadcast or another reduction.
 * Source: `tf.losses.sparse_softmax_cross_entropy`.
 */
export function sparseSoftmaxCrossEntropy(labels: IndicesLike, logits: TensorLike, options: LossOptions = {}): Tensor {
  return computeWeightedLoss(sparseSoftmaxCrossEntropyWithLogits(labels, logits), options);
}
