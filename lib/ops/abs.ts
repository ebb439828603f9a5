import type { Tensor } from '../tensor/tensor';
import { binary, unary } from './primitives';
import { record, toTensor, type TensorLike } from '../autodiff/tape';

/**
 * y = |x|, element by element; dy/dx = sign(x), which is 0 at 0.
 *
 * @returns a tensor of x's shape and dtype.
 * @throws TypeError when x is not a tensor, a variable, a typed array or a number.
 * Source: `tf.abs`.
 */
export function abs(x: TensorLike): Tensor {
  const input = toTensor('x', x);
  return record([input], unary('abs', input), (dy) => [binary('multiply', unary('sign', input), dy)]);
}
