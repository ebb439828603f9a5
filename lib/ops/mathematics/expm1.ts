import type { Tensor } from '../../tensor/tensor';
import { binary, unary } from '../primitives';
import { record, toTensor, type TensorLike } from '../../autodiff/tape';

/**
 * y = eˣ - 1, element by element, exact to the last places also near 0; dy/dx = eˣ.
 *
 * @returns a tensor of x's shape and dtype.
 * @throws TypeError when x is not a tensor, a variable, a typed array or a number.
 * Source: `tf.expm1`.
 */
export function expm1(x: TensorLike): Tensor {
  const input = toTensor('x', x);
  return record([input], unary('expm1', input), (dy) => [binary('multiply', unary('exp', input), dy)]);
}
