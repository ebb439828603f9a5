import { record, toTensors, type TensorLike } from '../../autodiff/tape';
import { showShape } from '../../tensor/shape';
import type { Tensor } from '../../tensor/tensor';
import { binary, summed } from '../primitives';
import { channelsMeant } from './layouts';

/**
 * y = x + bias, the same bias for everything but the last dimension.
 *
 * Gradients: dx = dy, dbias sums dy over all dimensions but the last.
 *
 * @param x [..., channels], of two dimensions at least.
 * @param bias [channels].
 * @returns a tensor of x's shape and dtype.
 * @throws TypeError for arguments of a wrong kind or of different dtypes, RangeError for shapes that do not fit.
 * Source: `tf.nn.bias_add`.
 */
export function biasAdd(x: TensorLike, bias: TensorLike): Tensor {
  const [input, added] = toTensors('x', x, 'bias', bias);
  const rank = input.shape.length;
  if (rank < 2) throw new RangeError(`x has shape ${showShape(input.shape)}: it must have at least two dimensions`);
  if (added.shape.length !== 1 || added.shape[0] !== input.shape[rank - 1]) {
    const meant = added.shape.length === 1 ? channelsMeant(input.shape, added.shape[0]!) : '';
    throw new RangeError(
      `bias has shape ${showShape(added.shape)}, expected [${input.shape[rank - 1]}] to fit x${meant}`,
    );
  }
  const axes = Array.from({ length: rank - 1 }, (_, d) => d);
  return record([input, added], binary('add', input, added), (dy, needed) => [
    needed[0] ? dy : null,
    needed[1] ? summed(dy, axes, added.shape) : null,
  ]);
}
