import { toTensor, type TensorLike } from '../../autodiff/tape';
import type { Int32Tensor } from '../../tensor/tensor';
import { extremeAt } from '../lines';
import { positionOf } from '../shapes/checks';
import { showShape } from '../../tensor/shape';

/**
 * Where the greatest along a dimension is: the first of several. NaN counts as the greatest, the first one again.
 *
 * @param axis a negative one counts from the end. Default: 0.
 * @returns an int32 tensor of x's shape without that dimension; no gradient flows.
 * @throws TypeError for arguments of a wrong kind, RangeError for a dimension that x does not have, or that has no elements.
 * Source: `tf.argmax`.
 */
export function argMax(x: TensorLike, axis = 0): Int32Tensor {
  return arg(x, axis, false);
}

/**
 * Where the least along a dimension is: the first of several. NaN counts as the least, the first one again.
 *
 * @param axis a negative one counts from the end. Default: 0.
 * @returns an int32 tensor of x's shape without that dimension; no gradient flows.
 * @throws TypeError for arguments of a wrong kind, RangeError for a dimension that x does not have, or that has no elements.
 * Source: `tf.argmin`.
 */
export function argMin(x: TensorLike, axis = 0): Int32Tensor {
  return arg(x, axis, true);
}

function arg(x: TensorLike, axis: number, least: boolean): Int32Tensor {
  const input = toTensor('x', x);
  const position = positionOf('axis', axis, input.shape.length);
  if (input.shape[position] === 0) {
    throw new RangeError(`x has shape ${showShape(input.shape)}: there is nothing along dimension ${position}`);
  }
  return extremeAt(input, position, least);
}
