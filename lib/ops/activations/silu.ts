import type { Tensor } from '../../tensor/tensor';
import { binary, unary } from '../primitives';
import { record, toTensor, type TensorLike } from '../../autodiff/tape';

/**
 * y = x sigmoid(x), element by element; with s = sigmoid(x), dy/dx = s (1 + x (1 - s)). Also known as swish.
 *
 * @returns a tensor of x's shape and dtype.
 * @throws TypeError when x is not a tensor, a variable, a typed array or a number.
 * Source: `tf.nn.swish`.
 */
export function silu(x: TensorLike): Tensor {
  const input = toTensor('x', x);
  return record([input], unary('silu', input), (dy) => [binary('siluGradient', input, dy)]);
}
