import type { Tensor } from '../../tensor/tensor';
import { binary, unary, unbroadcast } from '../primitives';
import { record, toTensors, type TensorLike } from '../../autodiff/tape';

/**
 * z = (x - y)², element by element; dz/dx = 2 (x - y), dz/dy = -2 (x - y).
 *
 * Shapes broadcast as in NumPy: aligned at the last dimension, a dimension of size 1 or missing repeats, and its gradient
 * is the sum over the repetitions. A bare number takes the other's dtype.
 *
 * @throws TypeError for inputs of a wrong kind or of different dtypes, RangeError for shapes that do not broadcast.
 * Source: `tf.squared_difference`.
 */
export function squaredDifference(x: TensorLike, y: TensorLike): Tensor {
  const [a, b] = toTensors('x', x, 'y', y);
  return record([a, b], binary('squaredDifference', a, b), (dz, needed) => {
    const slope = binary('squareGradient', binary('subtract', a, b), dz);
    return [
      needed[0] ? unbroadcast(slope, a.shape) : null,
      needed[1] ? unary('negative', unbroadcast(slope, b.shape)) : null,
    ];
  });
}
