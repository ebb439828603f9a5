import type { Tensor } from '../../tensor/tensor';
import { binary, unary, unbroadcast } from '../primitives';
import { record, toTensors, type TensorLike } from '../../autodiff/tape';

/**
 * z = x / y, and 0 where y = 0, element by element; dz/dx = 1 / y, dz/dy = -z / y, both 0 where y = 0.
 *
 * Shapes broadcast as in NumPy: aligned at the last dimension, a dimension of size 1 or missing repeats, and its gradient
 * is the sum over the repetitions. A bare number takes the other's dtype.
 *
 * @throws TypeError for inputs of a wrong kind or of different dtypes, RangeError for shapes that do not broadcast.
 * Source: `tf.div_no_nan`.
 */
export function divNoNan(x: TensorLike, y: TensorLike): Tensor {
  const [a, b] = toTensors('x', x, 'y', y);
  const z = binary('divideNoNan', a, b);
  return record([a, b], z, (dz, needed) => [
    needed[0] ? unbroadcast(binary('divideNoNan', dz, b), a.shape) : null,
    needed[1] ? unary('negative', unbroadcast(binary('multiply', dz, binary('divideNoNan', z, b)), b.shape)) : null,
  ]);
}
