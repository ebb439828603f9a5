import { toTensor, type TensorLike } from '../../autodiff/tape';
import { checkBoolean } from '../../checks';
import { checkOptions, type NamesOf } from '../../options';
import { showShape } from '../../tensor/shape';
import type { Tensor } from '../../tensor/tensor';
import { reduceMean } from '../reduce-mean';
import type { ReduceOptions } from '../reduction';
import { reshape } from '../reshape';
import { pooled } from './pool';
import { checkImages } from './window';

const names: NamesOf<ReduceOptions> = { keepDims: true };

/**
 * The mean over each channel of each image, added up in double precision; NaN for images without pixels. The gradient is
 * that of `reduceMean`.
 *
 * @param x [images, height, width, channels].
 * @returns [images, channels], or with `keepDims` [images, 1, 1, channels].
 * @throws TypeError for arguments of a wrong kind, RangeError when x has not four dimensions.
 * Source: `tf.keras.layers.GlobalAveragePooling2D`.
 */
export function globalAveragePool(x: TensorLike, options: ReduceOptions = {}): Tensor {
  checkOptions('options', options, names);
  const images = toTensor('x', x);
  checkImages('x', images.shape);
  return reduceMean(images, [1, 2], options);
}

/**
 * The largest element of each channel of each image, as of `maxPool`, and its gradient.
 *
 * @param x [images, height, width, channels].
 * @returns [images, channels], or with `keepDims` [images, 1, 1, channels].
 * @throws TypeError for arguments of a wrong kind, RangeError when x has not four dimensions, or has no pixels.
 * Source: `tf.keras.layers.GlobalMaxPooling2D`.
 */
export function globalMaxPool(x: TensorLike, options: ReduceOptions = {}): Tensor {
  checkOptions('options', options, names);
  const { keepDims = false } = options;
  checkBoolean('keepDims', keepDims);
  const images = toTensor('x', x);
  checkImages('x', images.shape);
  const [count, height, width, channels] = images.shape as [number, number, number, number];
  if (height * width === 0) throw new RangeError(`x has shape ${showShape(images.shape)}: it must have pixels`);
  const y = pooled(images, [height, width], {}, false);
  return keepDims ? y : reshape(y, [count, channels]);
}
