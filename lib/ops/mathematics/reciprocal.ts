import type { Tensor } from '../../tensor/tensor';
import { binary, unary } from '../primitives';
import { record, toTensor, type TensorLike } from '../../autodiff/tape';

/**
 * y = 1 / x, element by element; dy/dx = -y².
 *
 * Where the gradient of y is 0, that of x is 0 too, even at x = 0.
 *
 * @returns a tensor of x's shape and dtype.
 * @throws TypeError when x is not a tensor, a variable, a typed array or a number.
 * Source: `tf.reciprocal`.
 */
export function reciprocal(x: TensorLike): Tensor {
  const input = toTensor('x', x);
  const y = unary('reciprocal', input);
  return record([input], y, (dy) => [binary('reciprocalGradient', y, dy)]);
}
