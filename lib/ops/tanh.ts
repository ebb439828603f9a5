import type { Tensor } from '../tensor/tensor';
import { binary, unary } from './primitives';
import { record, toTensor, type TensorLike } from '../autodiff/tape';

/**
 * y = tanh x, element by element; dy/dx = 1 - y².
 *
 * @returns a tensor of x's shape and dtype.
 * @throws TypeError when x is not a tensor, a variable, a typed array or a number.
 * Source: `tf.tanh`.
 */
export function tanh(x: TensorLike): Tensor {
  const input = toTensor('x', x);
  const y = unary('tanh', input);
  return record([input], y, (dy) => [binary('tanhGradient', y, dy)]);
}
