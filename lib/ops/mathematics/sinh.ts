import type { Tensor } from '../../tensor/tensor';
import { binary, unary } from '../primitives';
import { record, toTensor, type TensorLike } from '../../autodiff/tape';

/**
 * y = (eˣ - e⁻ˣ) / 2, element by element; dy/dx = cosh x.
 *
 * @returns a tensor of x's shape and dtype.
 * @throws TypeError when x is not a tensor, a variable, a typed array or a number.
 * Source: `tf.sinh`.
 */
export function sinh(x: TensorLike): Tensor {
  const input = toTensor('x', x);
  return record([input], unary('sinh', input), (dy) => [binary('multiply', unary('cosh', input), dy)]);
}
