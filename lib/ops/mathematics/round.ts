import type { Tensor } from '../../tensor/tensor';
import { unary } from '../primitives';
import { toTensor, type TensorLike } from '../../autodiff/tape';

/**
 * The nearest whole number, element by element; of two the even one. It has no gradient, and stops those of what it is made of.
 *
 * @returns a tensor of x's shape and dtype.
 * @throws TypeError when x is not a tensor, a variable, a typed array or a number.
 * Source: `tf.round`.
 */
export function round(x: TensorLike): Tensor {
  const input = toTensor('x', x);
  return unary('round', input);
}
