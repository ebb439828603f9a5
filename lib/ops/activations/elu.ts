import type { Tensor } from '../../tensor/tensor';
import { binary, unary } from '../primitives';
import { record, toTensor, type TensorLike } from '../../autodiff/tape';

/**
 * y = x where x >= 0, else eˣ - 1, element by element; dy/dx = 1 where x >= 0, else eˣ, which is y + 1.
 *
 * @returns a tensor of x's shape and dtype.
 * @throws TypeError when x is not a tensor, a variable, a typed array or a number.
 * Source: `tf.nn.elu`.
 */
export function elu(x: TensorLike): Tensor {
  const input = toTensor('x', x);
  const y = unary('elu', input);
  return record([input], y, (dy) => [binary('eluGradient', y, dy)]);
}
