import type { Tensor } from '../../tensor/tensor';
import { unary } from '../primitives';
import { toTensor, type TensorLike } from '../../autodiff/tape';

/**
 * The least whole number that is not below x, element by element. It has no gradient, and stops those of what it is made of.
 *
 * @returns a tensor of x's shape and dtype.
 * @throws TypeError when x is not a tensor, a variable, a typed array or a number.
 * Source: `tf.ceil`.
 */
export function ceil(x: TensorLike): Tensor {
  const input = toTensor('x', x);
  return unary('ceil', input);
}
