import type { Tensor } from '../tensor/tensor';
import { binary, unary } from './primitives';
import { record, toTensor, type TensorLike } from '../autodiff/tape';

/**
 * y = ln x, element by element; dy/dx = 1 / x. -Infinity at 0, NaN where x < 0.
 *
 * @returns a tensor of x's shape and dtype.
 * @throws TypeError when x is not a tensor, a variable, a typed array or a number.
 * Source: `tf.log`.
 */
export function log(x: TensorLike): Tensor {
  const input = toTensor('x', x);
  return record([input], unary('log', input), (dy) => [binary('logGradient', input, dy)]);
}
