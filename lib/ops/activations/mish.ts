import type { Tensor } from '../../tensor/tensor';
import { binary, unary } from '../primitives';
import { record, toTensor, type TensorLike } from '../../autodiff/tape';

/**
 * y = x tanh(ln(1 + eˣ)), element by element; with t that tanh, dy/dx = t + x (1 - t²) sigmoid(x).
 *
 * @returns a tensor of x's shape and dtype.
 * @throws TypeError when x is not a tensor, a variable, a typed array or a number.
 * Source: `torch.nn.functional.mish`.
 */
export function mish(x: TensorLike): Tensor {
  const input = toTensor('x', x);
  return record([input], unary('mish', input), (dy) => [binary('mishGradient', input, dy)]);
}
