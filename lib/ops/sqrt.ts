import type { Tensor } from '../tensor/tensor';
import { binary, unary } from './primitives';
import { record, toTensor, type TensorLike } from '../autodiff/tape';

/**
 * y = √x, element by element; dy/dx = 1 / (2 y). NaN where x < 0; the gradient at 0 is infinite.
 *
 * @returns a tensor of x's shape and dtype.
 * @throws TypeError when x is not a tensor, a variable, a typed array or a number.
 * Source: `tf.sqrt`.
 */
export function sqrt(x: TensorLike): Tensor {
  const input = toTensor('x', x);
  const y = unary('sqrt', input);
  return record([input], y, (dy) => [binary('sqrtGradient', y, dy)]);
}
