import type { Tensor } from '../tensor/tensor';
import { binary, unbroadcast } from './primitives';
import { record, toTensors, type TensorLike } from '../autodiff/tape';

/**
 * z = x y, element by element; dz/dx = y, dz/dy = x.
 *
 * Shapes broadcast as in NumPy: aligned at the last dimension, a dimension of size 1 or missing repeats, and its gradient
 * is the sum over the repetitions. A bare number takes the other's dtype.
 *
 * @throws TypeError for inputs of a wrong kind or of different dtypes, RangeError for shapes that do not broadcast.
 * Source: `tf.multiply`.
 */
export function mul(x: TensorLike, y: TensorLike): Tensor {
  const [a, b] = toTensors('x', x, 'y', y);
  return record([a, b], binary('multiply', a, b), (dz, needed) => [
    needed[0] ? unbroadcast(binary('multiply', dz, b), a.shape) : null,
    needed[1] ? unbroadcast(binary('multiply', dz, a), b.shape) : null,
  ]);
}
