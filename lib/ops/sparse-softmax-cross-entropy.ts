import { toIndices, type IndicesLike } from '../tensor/indexed-slices';
import { kernels } from '../tensor/trace';
import { showShape, sizeOf } from '../tensor/shape';
import type { Tensor } from '../tensor/tensor';
import { scaledRows } from './primitives';
import { allocate } from '../autodiff/scope';
import { record, toTensor, type TensorLike } from '../autodiff/tape';

/**
 * The cross entropy of softmax(logits) along the last dimension, where one class is right:
 * loss = -ln softmax(logits)[label].
 *
 * Gradient of logits: softmax(logits), less 1 at the label, times the row's gradient.
 *
 * @param labels the right class of every row, 0 to classes - 1; rows in order, whatever the leading dimensions.
 * @param logits [..., classes]: logarithms of the odds, not normalized.
 * @returns [...]
 * @throws TypeError for arguments of a wrong kind, RangeError for a label that is no class, another number of labels
 * than rows, or logits without a dimension.
 * Source: `tf.nn.sparse_softmax_cross_entropy_with_logits`.
 */
export function sparseSoftmaxCrossEntropyWithLogits(labels: IndicesLike, logits: TensorLike): Tensor {
  const classes = toIndices('labels', labels);
  const x = toTensor('logits', logits);
  if (x.shape.length === 0) throw new RangeError('logits has shape []: it must have at least one dimension');
  const rows = x.shape.slice(0, -1);
  const count = sizeOf(rows);
  if (classes.length !== count) {
    throw new RangeError(
      `labels has ${classes.length} elements, logits has shape ${showShape(x.shape)}: ${count} labels were expected`,
    );
  }
  const loss = allocate(x.dtype, rows, count);
  const backprop = allocate(x.dtype, x.shape, x.size);
  kernels.sparseSoftmaxCrossEntropy(loss.operand, backprop.operand, classes, x.operand, x.shape.at(-1)!);
  return record([x], loss, (dy) => [scaledRows(backprop, dy)]);
}
