import type { BoolTensor } from '../../tensor/tensor';
import { selected } from '../shapes/where';
import { inverted, masks } from './compare';

/**
 * Whether either x or y, element by element. There is no gradient.
 *
 * Shapes broadcast as in NumPy: aligned at the last dimension, a dimension of size 1 or missing repeats.
 *
 * @param x a tensor of bool, as y.
 * @returns a tensor of bool.
 * @throws TypeError for inputs of a wrong kind, RangeError for shapes that do not broadcast.
 * Source: `tf.logical_xor`.
 */
export function logicalXor(x: BoolTensor, y: BoolTensor): BoolTensor {
  const shape = masks(x, y);
  return selected(x, inverted(y), y, shape);
}
