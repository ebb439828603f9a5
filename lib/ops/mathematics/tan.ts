import type { Tensor } from '../../tensor/tensor';
import { binary, unary } from '../primitives';
import { record, toTensor, type TensorLike } from '../../autodiff/tape';

/**
 * y = tan x, element by element, for x of any size in radians; dy/dx = 1 / cos² x.
 *
 * @returns a tensor of x's shape and dtype.
 * @throws TypeError when x is not a tensor, a variable, a typed array or a number.
 * Source: `tf.tan`.
 */
export function tan(x: TensorLike): Tensor {
  const input = toTensor('x', x);
  return record([input], unary('tan', input), (dy) => [
    binary('multiply', unary('square', unary('reciprocal', unary('cos', input))), dy),
  ]);
}
