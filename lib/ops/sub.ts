import type { Tensor } from '../tensor/tensor';
import { binary, unary, unbroadcast } from './primitives';
import { record, toTensors, type TensorLike } from '../autodiff/tape';

/**
 * z = x - y, element by element; dz/dx = 1, dz/dy = -1.
 *
 * Shapes broadcast as in NumPy: aligned at the last dimension, a dimension of size 1 or missing repeats, and its gradient
 * is the sum over the repetitions. A bare number takes the other's dtype.
 *
 * @throws TypeError for inputs of a wrong kind or of different dtypes, RangeError for shapes that do not broadcast.
 * Source: `tf.subtract`.
 */
export function sub(x: TensorLike, y: TensorLike): Tensor {
  const [a, b] = toTensors('x', x, 'y', y);
  return record([a, b], binary('subtract', a, b), (dz, needed) => [
    needed[0] ? unbroadcast(dz, a.shape) : null,
    needed[1] ? unary('negative', unbroadcast(dz, b.shape)) : null,
  ]);
}
