import type { BoolTensor } from '../../tensor/tensor';
import { compared, type Comparable } from './compare';

/**
 * Whether x ≠ y, element by element. NaN equals nothing. Tensors of any type; a bare number takes the other's. There is no gradient.
 *
 * Shapes broadcast as in NumPy: aligned at the last dimension, a dimension of size 1 or missing repeats.
 *
 * @returns a tensor of bool.
 * @throws TypeError for inputs of a wrong kind or of different dtypes, RangeError for shapes that do not broadcast.
 * Source: `tf.not_equal`.
 */
export function notEqual(x: Comparable, y: Comparable): BoolTensor {
  return compared('notEqual', x, y);
}
