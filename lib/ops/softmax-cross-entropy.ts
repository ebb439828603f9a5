import { kernels } from '../tensor/trace';
import { sameShape, showShape, sizeOf } from '../tensor/shape';
import type { Tensor } from '../tensor/tensor';
import { refuseClasses } from './classes';
import { scaledRows, unary } from './primitives';
import { allocate } from '../autodiff/scope';
import { record, toTensors, type TensorLike } from '../autodiff/tape';

/**
 * The cross entropy of softmax(logits) with respect to labels, along the last dimension:
 * loss = -Σ labels · ln softmax(logits).
 *
 * Gradients: of logits softmax(logits) Σ labels - labels, of labels -ln softmax(logits), both times the row's gradient.
 * They flow to labels and logits, as in the v2 form; where labels are plain values or come through `stopGradient`,
 * this is TensorFlow 1's older form.
 *
 * @param labels [..., classes]; rows are probabilities as a rule and need not sum to 1.
 * @param logits of the same shape: logarithms of the odds, not normalized.
 * @returns [...]
 * @throws TypeError for inputs of a wrong kind or of different dtypes, RangeError for different shapes or no dimension.
 * Source: `tf.nn.softmax_cross_entropy_with_logits_v2`.
 */
export function softmaxCrossEntropyWithLogits(labels: TensorLike, logits: TensorLike): Tensor {
  refuseClasses('labels', labels, 'sparseSoftmaxCrossEntropyWithLogits');
  const [z, x] = toTensors('labels', labels, 'logits', logits);
  if (!sameShape(z.shape, x.shape) || x.shape.length === 0) {
    const why = x.shape.length === 0 ? 'logits must have at least one dimension' : 'they must be equal';
    throw new RangeError(`labels has shape ${showShape(z.shape)}, logits has shape ${showShape(x.shape)}: ${why}`);
  }
  const rows = x.shape.slice(0, -1);
  const columns = x.shape.at(-1)!;
  const loss = allocate(x.dtype, rows, sizeOf(rows));
  const backprop = allocate(x.dtype, x.shape, x.size);
  kernels.softmaxCrossEntropy(loss.operand, backprop.operand, z.operand, x.operand, columns);
  return record([z, x], loss, (dy, needed) => [
    needed[0] ? scaledRows(logSoftmaxOf(x, columns), unary('negative', dy)) : null,
    needed[1] ? scaledRows(backprop, dy) : null,
  ]);
}

function logSoftmaxOf(x: Tensor, columns: number): Tensor {
  const y = allocate(x.dtype, x.shape, x.size);
  if (x.size > 0) kernels.logSoftmax(y.operand, x.operand, columns);
  return y;
}
