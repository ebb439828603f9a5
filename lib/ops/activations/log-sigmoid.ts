import type { Tensor } from '../../tensor/tensor';
import { binary, unary } from '../primitives';
import { record, toTensor, type TensorLike } from '../../autodiff/tape';

/**
 * y = -ln(1 + e⁻ˣ), the logarithm of sigmoid(x), element by element, without overflow; dy/dx = 1 - sigmoid(x).
 *
 * @returns a tensor of x's shape and dtype.
 * @throws TypeError when x is not a tensor, a variable, a typed array or a number.
 * Source: `tf.log_sigmoid`.
 */
export function logSigmoid(x: TensorLike): Tensor {
  const input = toTensor('x', x);
  return record([input], unary('logSigmoid', input), (dy) => [binary('logSigmoidGradient', input, dy)]);
}
