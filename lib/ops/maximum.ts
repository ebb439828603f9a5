import type { Tensor } from '../tensor/tensor';
import { binary } from './primitives';
import { record, toTensors, type TensorLike } from '../autodiff/tape';
import { passToOne } from './pass-to-one';

/**
 * z = max(x, y), element by element; NaN where either is NaN. The gradient goes to x where x >= y, ties included,
 * and to y elsewhere.
 *
 * Shapes broadcast as in NumPy: aligned at the last dimension, a dimension of size 1 or missing repeats, and its gradient
 * is the sum over the repetitions. A bare number takes the other's dtype.
 *
 * @throws TypeError for inputs of a wrong kind or of different dtypes, RangeError for shapes that do not broadcast.
 * Source: `tf.maximum`.
 */
export function maximum(x: TensorLike, y: TensorLike): Tensor {
  const [a, b] = toTensors('x', x, 'y', y);
  return record([a, b], binary('maximum', a, b), (dz, needed) =>
    passToOne(binary('greaterEqual', a, b), dz, a, b, needed),
  );
}
