import type { Tensor } from '../../tensor/tensor';
import { binary, unbroadcast } from '../primitives';
import { record, toTensors, type TensorLike } from '../../autodiff/tape';

/**
 * y = x where x > 0, else alpha x, element by element, with slopes that are learned; dy/dx = 1 where x > 0, else alpha, and
 * dy/dalpha = 0 where x > 0, else x.
 *
 * @param alpha a slope for all, or of a shape that broadcasts: with x [batch, height, width, channels] one of [channels] has
 * a slope for each channel. Its gradient is summed over the repetitions.
 * @returns a tensor of the shape that both broadcast to.
 * @throws TypeError for inputs of a wrong kind or of different dtypes, RangeError for shapes that do not broadcast.
 * Source: `tf.keras.layers.PReLU`; He et al. 2015.
 */
export function prelu(x: TensorLike, alpha: TensorLike): Tensor {
  const [input, slope] = toTensors('x', x, 'alpha', alpha);
  return record([input, slope], binary('prelu', input, slope), (dy, needed) => [
    needed[0] ? unbroadcast(binary('multiply', binary('preluSlope', input, slope), dy), input.shape) : null,
    needed[1] ? unbroadcast(binary('preluAlphaGradient', input, dy), slope.shape) : null,
  ]);
}
