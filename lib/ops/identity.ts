import type { DType, TensorDType } from '../tensor/dtype';
import type { Tensor } from '../tensor/tensor';
import { reshaped } from './primitives';
import { record, toAnyTensor, type TensorLike } from '../autodiff/tape';

/**
 * y = x: another tensor over the same memory, through which gradients flow (`stopGradient` is the one that stops them).
 *
 * @throws TypeError when x is not a tensor, a variable, a typed array or a number.
 * Source: `tf.identity`.
 */
export function identity<D extends TensorDType = DType>(x: TensorLike | Tensor<D>): Tensor<D> {
  const input = toAnyTensor<D>('x', x);
  return record([input], reshaped(input, input.shape), (dy) => [dy]);
}
