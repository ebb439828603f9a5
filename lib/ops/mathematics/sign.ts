import { allocate } from '../../autodiff/scope';
import { record, toTensor, type TensorLike } from '../../autodiff/tape';
import type { Tensor } from '../../tensor/tensor';
import { kernels } from '../../tensor/trace';
import { unary } from '../primitives';

/**
 * y = -1 where x < 0, 0 where x = 0, 1 where x > 0, element by element; NaN stays NaN. The gradient is 0.
 *
 * @returns a tensor of x's shape and dtype.
 * @throws TypeError when x is not a tensor, a variable, a typed array or a number.
 * Source: `tf.sign`.
 */
export function sign(x: TensorLike): Tensor {
  const input = toTensor('x', x);
  return record([input], unary('sign', input), () => {
    const dx = allocate(input.dtype, input.shape, input.size);
    kernels.fill(dx.operand, 0);
    return [dx];
  });
}
