import type { Tensor } from '../../tensor/tensor';
import { binary, unary } from '../primitives';
import { record, toTensor, type TensorLike } from '../../autodiff/tape';

/**
 * y = ln(1 + eˣ), element by element, without overflow; dy/dx = sigmoid(x).
 *
 * @returns a tensor of x's shape and dtype.
 * @throws TypeError when x is not a tensor, a variable, a typed array or a number.
 * Source: `tf.nn.softplus`.
 */
export function softplus(x: TensorLike): Tensor {
  const input = toTensor('x', x);
  return record([input], unary('softplus', input), (dy) => [binary('softplusGradient', input, dy)]);
}
