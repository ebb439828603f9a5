import { toTensors, type TensorLike } from '../../autodiff/tape';
import { checkOptions } from '../../options';
import { showShape } from '../../tensor/shape';
import type { Tensor } from '../../tensor/tensor';
import { conv2d, windowNames, type WindowOptions } from './conv2d';
import { depthwiseConv2d } from './depthwise-conv2d';

/**
 * `depthwiseConv2d`, then a `conv2d` of single pixels, which mixes what came out of the channels. Gradients are theirs.
 *
 * @param x [images, height, width, channels].
 * @param depthwiseFilter [height, width, channels, multiplier].
 * @param pointwiseFilter [1, 1, channels · multiplier, outputs].
 * @param options of the first of the two.
 * @returns [images, outputs down, outputs across, outputs].
 * @throws TypeError for arguments of a wrong kind or of different dtypes, RangeError for values out of range and shapes
 * that do not fit.
 * Source: `tf.nn.separable_conv2d`.
 */
export function separableConv2d(
  x: TensorLike,
  depthwiseFilter: TensorLike,
  pointwiseFilter: TensorLike,
  options: WindowOptions = {},
): Tensor {
  checkOptions('options', options, windowNames);
  const [, first] = toTensors('x', x, 'depthwiseFilter', depthwiseFilter);
  const [, second] = toTensors('x', x, 'pointwiseFilter', pointwiseFilter);
  const channels = (first.shape[2] ?? 0) * (first.shape[3] ?? 0);
  const [down, across, seen] = second.shape;
  if (second.shape.length !== 4 || down !== 1 || across !== 1 || seen !== channels) {
    throw new RangeError(`pointwiseFilter has shape ${showShape(second.shape)}, expected [1, 1, ${channels}, outputs]`);
  }
  return conv2d(depthwiseConv2d(x, depthwiseFilter, options), pointwiseFilter);
}
