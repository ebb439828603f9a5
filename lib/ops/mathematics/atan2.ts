import type { Tensor } from '../../tensor/tensor';
import { binary, unary, unbroadcast } from '../primitives';
import { record, toTensors, type TensorLike } from '../../autodiff/tape';

/**
 * z = the angle of the point (x, y), in [-π, π], element by element, with the special values of C's `atan2`;
 * dz/dy = x / (x² + y²), dz/dx = -y / (x² + y²), which are NaN at the origin.
 *
 * Shapes broadcast as in NumPy: aligned at the last dimension, a dimension of size 1 or missing repeats, and its gradient
 * is the sum over the repetitions. A bare number takes the other's dtype.
 *
 * @throws TypeError for inputs of a wrong kind or of different dtypes, RangeError for shapes that do not broadcast.
 * Source: `tf.atan2`.
 */
export function atan2(y: TensorLike, x: TensorLike): Tensor {
  const [a, b] = toTensors('y', y, 'x', x);
  return record([a, b], binary('atan2', a, b), (dz, needed) => {
    const part = binary('divide', dz, binary('add', unary('square', b), unary('square', a)));
    return [
      needed[0] ? unbroadcast(binary('multiply', b, part), a.shape) : null,
      needed[1] ? unary('negative', unbroadcast(binary('multiply', a, part), b.shape)) : null,
    ];
  });
}
