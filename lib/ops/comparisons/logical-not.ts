import type { BoolTensor } from '../../tensor/tensor';
import { checkMask } from '../shapes/where';
import { inverted } from './compare';

/**
 * Whether not x, element by element. There is no gradient.
 *
 * @param x a tensor of bool.
 * @returns a tensor of bool of x's shape.
 * @throws TypeError when x is no tensor of bool.
 * Source: `tf.logical_not`.
 */
export function logicalNot(x: BoolTensor): BoolTensor {
  checkMask('x', x);
  return inverted(x);
}
