import type { Tensor } from '../../tensor/tensor';
import { binary, binaryWith, unary } from '../primitives';
import { record, toTensor, type TensorLike } from '../../autodiff/tape';

/**
 * y = ln(1 + x), element by element, exact to the last places also near 0; dy/dx = 1 / (1 + x). -Infinity at -1, NaN where x < -1.
 *
 * @returns a tensor of x's shape and dtype.
 * @throws TypeError when x is not a tensor, a variable, a typed array or a number.
 * Source: `tf.log1p`.
 */
export function log1p(x: TensorLike): Tensor {
  const input = toTensor('x', x);
  return record([input], unary('log1p', input), (dy) => [binary('logGradient', binaryWith('add', input, 1), dy)]);
}
