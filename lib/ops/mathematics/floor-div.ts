import type { Tensor } from '../../tensor/tensor';
import { binary } from '../primitives';
import { toTensors, type TensorLike } from '../../autodiff/tape';

/**
 * The greatest whole number that is not above x / y, element by element. It has no gradient, and stops those of what it is
 * made of.
 *
 * Shapes broadcast as in NumPy: aligned at the last dimension, a dimension of size 1 or missing repeats. A bare
 * number takes the other's dtype.
 *
 * @throws TypeError for inputs of a wrong kind or of different dtypes, RangeError for shapes that do not broadcast.
 * Source: `tf.floordiv`.
 */
export function floorDiv(x: TensorLike, y: TensorLike): Tensor {
  const [a, b] = toTensors('x', x, 'y', y);
  return binary('floorDivide', a, b);
}
