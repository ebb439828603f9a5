import type { Tensor } from '../../tensor/tensor';
import { binary, scaled, unary } from '../primitives';
import { record, toTensor, type TensorLike } from '../../autodiff/tape';

/**
 * y = 1 - erf x, element by element, exact to the last places also where that is small; dy/dx = -2 / √π exp(-x²).
 *
 * @returns a tensor of x's shape and dtype.
 * @throws TypeError when x is not a tensor, a variable, a typed array or a number.
 * Source: `tf.erfc`.
 */
export function erfc(x: TensorLike): Tensor {
  const input = toTensor('x', x);
  return record([input], unary('erfc', input), (dy) => [
    binary('multiply', scaled(unary('exp', unary('negative', unary('square', input))), -2 / Math.sqrt(Math.PI)), dy),
  ]);
}
