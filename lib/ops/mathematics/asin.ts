import type { Tensor } from '../../tensor/tensor';
import { binary, binaryWith, unary } from '../primitives';
import { record, toTensor, type TensorLike } from '../../autodiff/tape';

/**
 * y = arcsin x, element by element, in [-π/2, π/2]; dy/dx = 1 / √(1 - x²). NaN where |x| > 1; the gradient at ±1 is infinite.
 *
 * @returns a tensor of x's shape and dtype.
 * @throws TypeError when x is not a tensor, a variable, a typed array or a number.
 * Source: `tf.asin`.
 */
export function asin(x: TensorLike): Tensor {
  const input = toTensor('x', x);
  return record([input], unary('asin', input), (dy) => [
    binary('divide', dy, unary('sqrt', binaryWith('add', unary('negative', unary('square', input)), 1))),
  ]);
}
