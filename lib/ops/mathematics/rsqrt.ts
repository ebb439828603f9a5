import type { Tensor } from '../../tensor/tensor';
import { binary, unary } from '../primitives';
import { record, toTensor, type TensorLike } from '../../autodiff/tape';

/**
 * y = 1 / √x, element by element; dy/dx = -y³ / 2. Infinity at 0, NaN where x < 0.
 *
 * Where the gradient of y is 0, that of x is 0 too, even at x = 0.
 *
 * @returns a tensor of x's shape and dtype.
 * @throws TypeError when x is not a tensor, a variable, a typed array or a number.
 * Source: `tf.rsqrt`.
 */
export function rsqrt(x: TensorLike): Tensor {
  const input = toTensor('x', x);
  const y = unary('rsqrt', input);
  return record([input], y, (dy) => [binary('rsqrtGradient', y, dy)]);
}
