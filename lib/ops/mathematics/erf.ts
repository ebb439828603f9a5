import type { Tensor } from '../../tensor/tensor';
import { binary, scaled, unary } from '../primitives';
import { record, toTensor, type TensorLike } from '../../autodiff/tape';

/**
 * y = 2 / √π ∫₀ˣ exp(-t²) dt, the error function, element by element; dy/dx = 2 / √π exp(-x²).
 *
 * @returns a tensor of x's shape and dtype.
 * @throws TypeError when x is not a tensor, a variable, a typed array or a number.
 * Source: `tf.erf`.
 */
export function erf(x: TensorLike): Tensor {
  const input = toTensor('x', x);
  return record([input], unary('erf', input), (dy) => [
    binary('multiply', scaled(unary('exp', unary('negative', unary('square', input))), 2 / Math.sqrt(Math.PI)), dy),
  ]);
}
