import type { Tensor } from '../../tensor/tensor';
import { binary, unary } from '../primitives';
import { record, toTensor, type TensorLike } from '../../autodiff/tape';

/**
 * y = x min(max(x + 3, 0), 6) / 6, element by element; dy/dx = 0 where x <= -3, 1 where x >= 3, else (2 x + 3) / 6.
 *
 * @returns a tensor of x's shape and dtype.
 * @throws TypeError when x is not a tensor, a variable, a typed array or a number.
 * Source: `torch.nn.functional.hardswish`.
 */
export function hardSwish(x: TensorLike): Tensor {
  const input = toTensor('x', x);
  return record([input], unary('hardSwish', input), (dy) => [binary('hardSwishGradient', input, dy)]);
}
