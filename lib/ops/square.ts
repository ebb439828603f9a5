import type { Tensor } from '../tensor/tensor';
import { binary, unary } from './primitives';
import { record, toTensor, type TensorLike } from '../autodiff/tape';

/**
 * y = x², element by element; dy/dx = 2 x.
 *
 * @returns a tensor of x's shape and dtype.
 * @throws TypeError when x is not a tensor, a variable, a typed array or a number.
 * Source: `tf.square`.
 */
export function square(x: TensorLike): Tensor {
  const input = toTensor('x', x);
  return record([input], unary('square', input), (dy) => [binary('squareGradient', input, dy)]);
}
