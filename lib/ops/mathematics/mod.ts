import type { Tensor } from '../../tensor/tensor';
import { binary, unary, unbroadcast } from '../primitives';
import { record, toTensors, type TensorLike } from '../../autodiff/tape';

/**
 * z = x - y ⌊x / y⌋, element by element: what is left of x by y, with y's sign, without the errors of that division;
 * dz/dx = 1, dz/dy = -⌊x / y⌋.
 *
 * Shapes broadcast as in NumPy: aligned at the last dimension, a dimension of size 1 or missing repeats, and its gradient
 * is the sum over the repetitions. A bare number takes the other's dtype.
 *
 * @throws TypeError for inputs of a wrong kind or of different dtypes, RangeError for shapes that do not broadcast.
 * Source: `tf.mod`, which is `tf.floormod`.
 */
export function mod(x: TensorLike, y: TensorLike): Tensor {
  const [a, b] = toTensors('x', x, 'y', y);
  return record([a, b], binary('floorMod', a, b), (dz, needed) => [
    needed[0] ? unbroadcast(dz, a.shape) : null,
    needed[1] ? unbroadcast(binary('multiply', dz, unary('negative', binary('floorDivide', a, b))), b.shape) : null,
  ]);
}
