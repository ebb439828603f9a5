import type { Tensor } from '../../tensor/tensor';
import { binary, unary } from '../primitives';
import { record, toTensor, type TensorLike } from '../../autodiff/tape';

/**
 * y = cos x, element by element, for x of any size in radians; dy/dx = -sin x.
 *
 * @returns a tensor of x's shape and dtype.
 * @throws TypeError when x is not a tensor, a variable, a typed array or a number.
 * Source: `tf.cos`.
 */
export function cos(x: TensorLike): Tensor {
  const input = toTensor('x', x);
  return record([input], unary('cos', input), (dy) => [unary('negative', binary('multiply', unary('sin', input), dy))]);
}
