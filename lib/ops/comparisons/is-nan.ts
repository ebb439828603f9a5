import type { BoolTensor } from '../../tensor/tensor';
import { classified, type Comparable } from './compare';

/**
 * Whether x is no number, element by element. There is no gradient.
 *
 * @returns a tensor of bool of x's shape.
 * @throws TypeError when x is not a tensor, a variable, a typed array or a number.
 * Source: `tf.is_nan`.
 */
export function isNan(x: Comparable): BoolTensor {
  return classified(x, false, 'notEqual', null);
}
