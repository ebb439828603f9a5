import type { Tensor } from '../../tensor/tensor';
import { binary, binaryWith, unary } from '../primitives';
import { record, toTensor, type TensorLike } from '../../autodiff/tape';

/**
 * y = arctan x, element by element, in [-π/2, π/2]; dy/dx = 1 / (1 + x²).
 *
 * @returns a tensor of x's shape and dtype.
 * @throws TypeError when x is not a tensor, a variable, a typed array or a number.
 * Source: `tf.atan`.
 */
export function atan(x: TensorLike): Tensor {
  const input = toTensor('x', x);
  return record([input], unary('atan', input), (dy) => [
    binary('divide', dy, binaryWith('add', unary('square', input), 1)),
  ]);
}
