import type { Tensor } from '../../tensor/tensor';
import { unary } from '../primitives';
import { toTensor, type TensorLike } from '../../autodiff/tape';

/**
 * The greatest whole number that is not above x, element by element. It has no gradient, and stops those of what it is made of.
 *
 * @returns a tensor of x's shape and dtype.
 * @throws TypeError when x is not a tensor, a variable, a typed array or a number.
 * Source: `tf.floor`.
 */
export function floor(x: TensorLike): Tensor {
  const input = toTensor('x', x);
  return unary('floor', input);
}
