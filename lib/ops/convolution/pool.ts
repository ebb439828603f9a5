import { allocate } from '../../autodiff/scope';
import { record, toTensor, type TensorLike } from '../../autodiff/tape';
import { checkOptions, type NamesOf } from '../../options';
import { showShape, sizeOf, type Shape } from '../../tensor/shape';
import type { Tensor } from '../../tensor/tensor';
import { kernels } from '../../tensor/trace';
import {
  axisOf,
  checkImages,
  checkPadding,
  checkPair,
  itemsOf,
  outputShape,
  type Geometry,
  type Padding,
  type Pair,
} from './window';

/** How windows go over images. */
export interface PoolOptions {
  /** How far it is from one window to the next. Default: the window's size. */
  strides?: Pair;
  /** A window must see something of the image: given numbers are smaller than its size. Default: 'VALID'. */
  padding?: Padding;
}

const names: NamesOf<PoolOptions> = { strides: true, padding: true };

/** The largest or the mean of what each window sees. */
export function pooled(x: TensorLike, size: Pair, options: PoolOptions, isMean: boolean): Tensor {
  checkOptions('options', options, names);
  const images = toTensor('x', x);
  const geometry = geometryOf(images.shape, size, options);
  const shape = outputShape(geometry);
  const y = allocate(images.dtype, shape, sizeOf(shape));
  const parts = { option: Number(isMean), items: itemsOf(geometry) };
  kernels.task('pool', images.dtype, [y.operand, images.operand], parts);
  return record([images], y, (dy) => {
    const dx = allocate(images.dtype, images.shape, images.size);
    const read = isMean ? [undefined, undefined] : [images.operand, y.operand];
    kernels.task('poolGradient', images.dtype, [dx.operand, dy.operand, ...read], parts);
    return [dx];
  });
}

function geometryOf(shape: Shape, size: Pair, { strides = size, padding = 'VALID' }: PoolOptions): Geometry {
  checkImages('x', shape);
  const [images, height, width, channels] = shape as [number, number, number, number];
  const window = checkPair('size', size);
  const steps = checkPair('strides', strides);
  const zeros = checkPadding(padding);
  zeros.forEach((axis, d) => {
    if (typeof axis !== 'string' && Math.max(...axis) >= window[d]!) {
      throw new RangeError(`padding must be smaller than the window, ${showShape(window)}, got ${showShape(axis)}`);
    }
  });
  return {
    images,
    channels,
    outputs: channels,
    groups: 1,
    down: axisOf('a window', height, window[0], steps[0], 1, zeros[0]),
    across: axisOf('a window', width, window[1], steps[1], 1, zeros[1]),
  };
}
