import type { Tensor } from '../tensor/tensor';
import { unary } from './primitives';
import { record, toTensor, type TensorLike } from '../autodiff/tape';

/**
 * y = -x, element by element; dy/dx = -1.
 *
 * @returns a tensor of x's shape and dtype.
 * @throws TypeError when x is not a tensor, a variable, a typed array or a number.
 * Source: `tf.negative`.
 */
export function neg(x: TensorLike): Tensor {
  const input = toTensor('x', x);
  return record([input], unary('negative', input), (dy) => [unary('negative', dy)]);
}
