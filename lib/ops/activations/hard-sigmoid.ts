import type { Tensor } from '../../tensor/tensor';
import { binary, unary } from '../primitives';
import { record, toTensor, type TensorLike } from '../../autodiff/tape';

/**
 * y = min(max(x + 3, 0), 6) / 6, element by element; dy/dx = 1/6 where |x| < 3, else 0. So it goes with `hardSwish`;
 * that of `tf.keras.activations` in TensorFlow 1 is min(max(0.2 x + 0.5, 0), 1).
 *
 * @returns a tensor of x's shape and dtype.
 * @throws TypeError when x is not a tensor, a variable, a typed array or a number.
 * Source: `torch.nn.functional.hardsigmoid`.
 */
export function hardSigmoid(x: TensorLike): Tensor {
  const input = toTensor('x', x);
  return record([input], unary('hardSigmoid', input), (dy) => [binary('hardSigmoidGradient', input, dy)]);
}
