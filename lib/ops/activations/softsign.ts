import type { Tensor } from '../../tensor/tensor';
import { binary, unary } from '../primitives';
import { record, toTensor, type TensorLike } from '../../autodiff/tape';

/**
 * y = x / (1 + |x|), element by element; dy/dx = 1 / (1 + |x|)².
 *
 * @returns a tensor of x's shape and dtype.
 * @throws TypeError when x is not a tensor, a variable, a typed array or a number.
 * Source: `tf.nn.softsign`.
 */
export function softsign(x: TensorLike): Tensor {
  const input = toTensor('x', x);
  return record([input], unary('softsign', input), (dy) => [binary('softsignGradient', input, dy)]);
}
