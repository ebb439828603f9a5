import type { Tensor } from '../tensor/tensor';
import { binary, unary, unbroadcast } from './primitives';
import { record, toTensors, type TensorLike } from '../autodiff/tape';

/**
 * z = x / y, element by element; dz/dx = 1 / y, dz/dy = -z / y. Dividing by zero gives what IEEE 754 says.
 *
 * Shapes broadcast as in NumPy: aligned at the last dimension, a dimension of size 1 or missing repeats, and its gradient
 * is the sum over the repetitions. A bare number takes the other's dtype.
 *
 * @throws TypeError for inputs of a wrong kind or of different dtypes, RangeError for shapes that do not broadcast.
 * Source: `tf.realdiv`.
 */
export function div(x: TensorLike, y: TensorLike): Tensor {
  const [a, b] = toTensors('x', x, 'y', y);
  const z = binary('divide', a, b);
  return record([a, b], z, (dz, needed) => [
    needed[0] ? unbroadcast(binary('divide', dz, b), a.shape) : null,
    // z / y first: dz / y times z is NaN where the one is infinite and the other 0.
    needed[1] ? unary('negative', unbroadcast(binary('multiply', dz, binary('divide', z, b)), b.shape)) : null,
  ]);
}
