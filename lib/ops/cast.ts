import { record, toAnyTensor, type TensorLike } from '../autodiff/tape';
import { checkTensorDType } from '../checks';
import { isFloat, type TensorDType } from '../tensor/dtype';
import type { AnyTensor, Tensor } from '../tensor/tensor';
import { castTo, reshaped } from './primitives';

/**
 * The same values as another type: rounded to the nearest float, cut off towards 0 for int32, for bool whether they are
 * not 0. For int32 what is out of range becomes the nearest number that there is, and NaN becomes 0; as bool NaN is true.
 * True is 1, false is 0. Of x's own type y shares x's memory.
 *
 * Gradient: between floats dx = dy, rounded; int32 and bool have none, and nothing flows through them.
 *
 * @returns a tensor of x's shape.
 * @throws TypeError when x is not a tensor, a variable, a typed array or a number, or for no dtype.
 * Source: `tf.cast`.
 */
export function cast<D extends TensorDType>(x: TensorLike | AnyTensor, dtype: D): Tensor<D> {
  const input: AnyTensor = toAnyTensor<TensorDType>('x', x);
  checkTensorDType('dtype', dtype);
  const y = (input.dtype === dtype ? reshaped(input, input.shape) : castTo(input, dtype)) as Tensor<D>;
  const { dtype: own } = input;
  if (!isFloat(own) || !isFloat(dtype)) return y;
  return record([input], y, (dy) => [own === dtype ? dy : castTo(dy, own)]);
}
