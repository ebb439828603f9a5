import type { BoolTensor } from '../../tensor/tensor';
import { classified, type Comparable } from './compare';

/**
 * Whether x is infinite, element by element. There is no gradient.
 *
 * @returns a tensor of bool of x's shape.
 * @throws TypeError when x is not a tensor, a variable, a typed array or a number.
 * Source: `tf.is_inf`.
 */
export function isInf(x: Comparable): BoolTensor {
  return classified(x, true, 'equal', Infinity);
}
