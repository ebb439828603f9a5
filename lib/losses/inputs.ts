import { toTensors, type TensorLike } from '../autodiff/tape';
import { sameShape, showShape } from '../tensor/shape';
import type { Tensor } from '../tensor/tensor';

/** Labels and what is held against them, as tensors. @throws TypeError for different dtypes, RangeError for different shapes. */
export function alike(nameA: string, a: TensorLike, nameB: string, b: TensorLike): [Tensor, Tensor] {
  const [left, right] = toTensors(nameA, a, nameB, b);
  if (!sameShape(left.shape, right.shape)) {
    throw new RangeError(
      `${nameA} has shape ${showShape(left.shape)}, ${nameB} has shape ${showShape(right.shape)}: they must be equal`,
    );
  }
  return [left, right];
}
