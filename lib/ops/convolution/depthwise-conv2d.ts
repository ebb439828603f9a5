import { allocate } from '../../autodiff/scope';
import { record, toTensors, type TensorLike } from '../../autodiff/tape';
import { checkOptions } from '../../options';
import { showShape, sizeOf, type Shape } from '../../tensor/shape';
import type { Tensor } from '../../tensor/tensor';
import { kernels, type Kernels } from '../../tensor/trace';
import { broadcastTo, reshaped, summed } from '../primitives';
import { windowNames, windowOf, type WindowOptions } from './conv2d';
import { axisOf, checkImages, inputShape, itemsOf, outputShape, type Geometry } from './window';

/**
 * A convolution of each channel by itself, with `multiplier` filters of its own:
 *
 * y[n, i, j, c · multiplier + q] = Σ x[n, i · stride + di · dilation - padding, j · ..., c] filter[di, dj, c, q]
 *
 * Otherwise as `conv2d`; with a multiplier of 1 it is a `conv2d` with a group for each channel.
 *
 * @param x [images, height, width, channels].
 * @param filter [height, width, channels, multiplier].
 * @returns [images, outputs down, outputs across, channels · multiplier].
 * @throws TypeError for arguments of a wrong kind or of different dtypes, RangeError for values out of range and shapes
 * that do not fit.
 * Source: `tf.nn.depthwise_conv2d`.
 */
export function depthwiseConv2d(x: TensorLike, filter: TensorLike, options: WindowOptions = {}): Tensor {
  checkOptions('options', options, windowNames);
  const [images, factors] = toTensors('x', x, 'filter', filter);
  const { geometry, multiplier } = depthwiseGeometry(images.shape, factors.shape, options);
  const repeated = repeatedChannels(images, multiplier);
  const y = outOf('depthwise', outputShape(geometry), geometry, repeated, factors);
  return record([images, factors], y, (dy, needed) => [
    needed[0]
      ? summedChannels(outOf('depthwiseInputGradient', inputShape(geometry), geometry, dy, factors), images.shape)
      : null,
    needed[1] ? outOf('depthwiseFilterGradient', factors.shape, geometry, repeated, dy) : null,
  ]);
}

type Kind = Extract<Parameters<Kernels['task']>[0], `depthwise${string}`>;

function outOf(kind: Kind, shape: Shape, geometry: Geometry, a: Tensor, b: Tensor): Tensor {
  const out = allocate(a.dtype, shape, sizeOf(shape));
  if (geometry.channels > 0) {
    kernels.task(kind, a.dtype, [out.operand, a.operand, b.operand], { items: itemsOf(geometry) });
  }
  return out;
}

function depthwiseGeometry(x: Shape, filter: Shape, options: WindowOptions) {
  checkImages('x', x);
  const [images, height, width, channels] = x as [number, number, number, number];
  if (filter.length !== 4 || filter[2] !== channels) {
    throw new RangeError(`filter has shape ${showShape(filter)}, expected [height, width, ${channels}, multiplier]`);
  }
  const [down, across, , multiplier] = filter as [number, number, number, number];
  if (down === 0 || across === 0) throw new RangeError(`filter has shape ${showShape(filter)}: it must have a pixel`);
  const [strides, dilations, padding] = windowOf(options);
  const outputs = channels * multiplier;
  const geometry: Geometry = {
    images,
    channels: outputs,
    outputs,
    groups: outputs,
    down: axisOf('a filter', height, down, strides[0], dilations[0], padding[0]),
    across: axisOf('a filter', width, across, strides[1], dilations[1], padding[1]),
  };
  return { geometry, multiplier };
}

/** Every channel so many times. */
function repeatedChannels(x: Tensor, times: number): Tensor {
  if (times === 1) return x;
  const { shape } = x;
  const channels = shape[3]! * times;
  const apart = broadcastTo(reshaped(x, [...shape, 1]), [...shape, times]);
  return reshaped(apart, [...shape.slice(0, 3), channels]);
}

/** The gradient of that. */
function summedChannels(dx: Tensor, shape: Shape): Tensor {
  const times = dx.shape[3]! / shape[3]!;
  if (times === 1 || shape[3] === 0) return dx;
  return summed(reshaped(dx, [...shape, times]), [4], shape);
}
