import type { Tensor } from '../tensor/tensor';
import { binary, unary } from './primitives';
import { record, toTensor, type TensorLike } from '../autodiff/tape';

/**
 * y = 1 / (1 + e⁻ˣ), element by element; dy/dx = y (1 - y).
 *
 * @returns a tensor of x's shape and dtype.
 * @throws TypeError when x is not a tensor, a variable, a typed array or a number.
 * Source: `tf.sigmoid`.
 */
export function sigmoid(x: TensorLike): Tensor {
  const input = toTensor('x', x);
  const y = unary('sigmoid', input);
  return record([input], y, (dy) => [binary('sigmoidGradient', y, dy)]);
}
