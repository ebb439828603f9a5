import { sameShape, showShape } from '../tensor/shape';
import type { Tensor } from '../tensor/tensor';
import { binary, unary } from './primitives';
import { record, toTensors, type TensorLike } from '../autodiff/tape';

/**
 * The cross entropy of sigmoid(logits) with respect to labels, element by element: with labels z and logits x,
 * loss = max(x, 0) - x z + ln(1 + e^-|x|), which is -z ln sigmoid(x) - (1 - z) ln(1 - sigmoid(x)) without overflow.
 *
 * Gradients: of logits sigmoid(x) - z, of labels -x.
 *
 * @param labels probabilities.
 * @param logits of the same shape: logarithms of the odds.
 * @returns a tensor of that shape.
 * @throws TypeError for inputs of a wrong kind or of different dtypes, RangeError for different shapes.
 * Source: `tf.nn.sigmoid_cross_entropy_with_logits`.
 */
export function sigmoidCrossEntropyWithLogits(labels: TensorLike, logits: TensorLike): Tensor {
  const [z, x] = toTensors('labels', labels, 'logits', logits);
  if (!sameShape(z.shape, x.shape)) {
    throw new RangeError(
      `labels has shape ${showShape(z.shape)}, logits has shape ${showShape(x.shape)}: they must be equal`,
    );
  }
  return record([z, x], binary('sigmoidCrossEntropy', z, x), (dy, needed) => [
    needed[0] ? unary('negative', binary('multiply', x, dy)) : null,
    needed[1] ? binary('multiply', binary('sigmoidMinus', z, x), dy) : null,
  ]);
}
