import type { Tensor } from '../../tensor/tensor';
import { powByBase } from '../derivatives';
import { binary, unbroadcast } from '../primitives';
import { record, toTensors, type TensorLike } from '../../autodiff/tape';

/**
 * z = xʸ, element by element, with the special values of C's `pow`: x⁰ and 1ʸ are 1 even for NaN, a negative x has powers
 * for whole y only. dz/dx = y xʸ⁻¹, which is 0 for y = 0 whatever x is; dz/dy = z ln x where x > 0, else 0.
 *
 * Shapes broadcast as in NumPy: aligned at the last dimension, a dimension of size 1 or missing repeats, and its gradient
 * is the sum over the repetitions. A bare number takes the other's dtype.
 *
 * @throws TypeError for inputs of a wrong kind or of different dtypes, RangeError for shapes that do not broadcast.
 * Source: `tf.pow`, in which 0⁰ has the gradient NaN by x.
 */
export function pow(x: TensorLike, y: TensorLike): Tensor {
  const [a, b] = toTensors('x', x, 'y', y);
  const z = binary('pow', a, b);
  return record([a, b], z, (dz, needed) => [
    needed[0] ? unbroadcast(powByBase(a, b, dz), a.shape) : null,
    needed[1] ? unbroadcast(binary('powLog', a, binary('multiply', dz, z)), b.shape) : null,
  ]);
}
