import type { Tensor } from '../../tensor/tensor';
import { binary, unary } from '../primitives';
import { record, toTensor, type TensorLike } from '../../autodiff/tape';

/**
 * y = scale x where x >= 0, else scale alpha (eˣ - 1), element by element, with scale = 1.0507009873554805 and
 * alpha = 1.6732632423543772; dy/dx = scale where x >= 0, else y + scale alpha.
 *
 * @returns a tensor of x's shape and dtype.
 * @throws TypeError when x is not a tensor, a variable, a typed array or a number.
 * Source: `tf.nn.selu`.
 */
export function selu(x: TensorLike): Tensor {
  const input = toTensor('x', x);
  const y = unary('selu', input);
  return record([input], y, (dy) => [binary('seluGradient', y, dy)]);
}
