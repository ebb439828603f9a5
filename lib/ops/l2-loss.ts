import { kernels } from '../tensor/trace';
import type { Tensor } from '../tensor/tensor';
import { binary } from './primitives';
import { allocate } from '../autodiff/scope';
import { record, toTensor, type TensorLike } from '../autodiff/tape';

/**
 * Half the sum of squares, Σ x² / 2, added up in double precision; the gradient is x.
 *
 * @returns a tensor of rank 0.
 * @throws TypeError when x is not a tensor, a variable, a typed array or a number.
 * Source: `tf.nn.l2_loss`.
 */
export function l2Loss(x: TensorLike): Tensor {
  const input = toTensor('x', x);
  const loss = allocate(input.dtype, [], 1);
  kernels.sumOfSquares(loss.operand, input.operand, 0.5);
  return record([input], loss, (dy) => [binary('multiply', input, dy)]);
}
