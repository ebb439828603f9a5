import type { Tensor } from '../tensor/tensor';
import { binary, unary } from './primitives';
import { record, toTensor, type TensorLike } from '../autodiff/tape';

/**
 * y = eˣ, element by element; dy/dx = y.
 *
 * @returns a tensor of x's shape and dtype.
 * @throws TypeError when x is not a tensor, a variable, a typed array or a number.
 * Source: `tf.exp`.
 */
export function exp(x: TensorLike): Tensor {
  const input = toTensor('x', x);
  const y = unary('exp', input);
  return record([input], y, (dy) => [binary('multiply', y, dy)]);
}
