import type { Tensor } from '../tensor/tensor';
import { binary, unary } from './primitives';
import { record, toTensor, type TensorLike } from '../autodiff/tape';

/**
 * y = max(x, 0), element by element; dy/dx = 1 where x > 0, else 0 (also at 0 itself). NaN stays NaN.
 *
 * @returns a tensor of x's shape and dtype.
 * @throws TypeError when x is not a tensor, a variable, a typed array or a number.
 * Source: `tf.nn.relu`.
 */
export function relu(x: TensorLike): Tensor {
  const input = toTensor('x', x);
  const y = unary('relu', input);
  return record([input], y, (dy) => [binary('reluGradient', y, dy)]);
}
