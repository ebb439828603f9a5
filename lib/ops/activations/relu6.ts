import type { Tensor } from '../../tensor/tensor';
import { binary, unary } from '../primitives';
import { record, toTensor, type TensorLike } from '../../autodiff/tape';

/**
 * y = min(max(x, 0), 6), element by element; dy/dx = 1 where 0 < x < 6, else 0. NaN stays NaN.
 *
 * @returns a tensor of x's shape and dtype.
 * @throws TypeError when x is not a tensor, a variable, a typed array or a number.
 * Source: `tf.nn.relu6`.
 */
export function relu6(x: TensorLike): Tensor {
  const input = toTensor('x', x);
  const y = unary('relu6', input);
  return record([input], y, (dy) => [binary('relu6Gradient', y, dy)]);
}
