import { record, toTensors, type TensorLike } from '../../autodiff/tape';
import { checkOptions, type NamesOf } from '../../options';
import { checkShape, sameShape, showShape, type Shape } from '../../tensor/shape';
import type { Tensor } from '../../tensor/tensor';
import { convolved, filterGradient, inputGradient } from './convolve';
import { geometryOf, windowNames, windowOf, type WindowOptions } from './conv2d';
import { checkImages, outputShape as convolvedShape, type AxisPadding } from './window';

export interface Conv2dTransposeOptions extends WindowOptions {
  /**
   * [images, height, width, outputs] of what comes out, since with a stride a convolution makes the same of several sizes.
   * Default: the size times the stride with 'SAME', else the least size that the windows need.
   */
  outputShape?: readonly number[];
}

const names: NamesOf<Conv2dTransposeOptions> = { ...windowNames, outputShape: true };

/**
 * The transpose of `conv2d`: what the gradient by its input is, as an op. Each pixel of x is multiplied by the filter and
 * laid where the filter was; what falls on the same pixel is added. Strides make y larger than x.
 *
 * Gradients: dx is `conv2d` of dy with the filter; dfilter sums, over x's pixels, x times what of dy they went into.
 *
 * @param x [images, height, width, channels].
 * @param filter [height, width, outputs, channels]: that of the `conv2d` that goes the other way.
 * @returns [images, height, width, outputs].
 * @throws TypeError for arguments of a wrong kind or of different dtypes, RangeError for values out of range, shapes that do
 * not fit, and an `outputShape` of which `conv2d` would not make x's.
 * Source: `tf.nn.conv2d_transpose`.
 */
export function conv2dTranspose(x: TensorLike, filter: TensorLike, options: Conv2dTransposeOptions = {}): Tensor {
  checkOptions('options', options, names);
  const [images, factors] = toTensors('x', x, 'filter', filter);
  const shape = shapeOf(images.shape, factors.shape, options);
  const geometry = geometryOf(shape, factors.shape, 1, options);
  if (!sameShape(convolvedShape(geometry), images.shape)) {
    const made = showShape(convolvedShape(geometry));
    throw new RangeError(
      `outputShape must be of images that conv2d makes ${showShape(images.shape)} of, got ${showShape(shape)}, of which it makes ${made}`,
    );
  }
  const y = inputGradient(images, factors, geometry);
  return record([images, factors], y, (dy, needed) => [
    needed[0] ? convolved(dy, factors, geometry) : null,
    needed[1] ? filterGradient(dy, images, geometry) : null,
  ]);
}

function shapeOf(x: Shape, filter: Shape, options: Conv2dTransposeOptions): Shape {
  checkImages('x', x);
  if (filter.length !== 4 || filter[3] !== x[3]) {
    throw new RangeError(`filter has shape ${showShape(filter)}, expected [height, width, outputs, ${x[3]}] to fit x`);
  }
  const { outputShape } = options;
  if (outputShape !== undefined) {
    checkShape('outputShape', outputShape);
    if (outputShape.length !== 4 || outputShape[3] !== filter[2]) {
      throw new RangeError(`outputShape must be [images, height, width, ${filter[2]}], got ${showShape(outputShape)}`);
    }
    return outputShape;
  }
  const [strides, dilations, padding] = windowOf(options);
  const size = (d: 0 | 1): number => {
    const reach = (filter[d]! - 1) * dilations[d] + 1;
    return sizeFor(x[d + 1]!, strides[d], reach, padding[d]);
  };
  return [x[0]!, size(0), size(1), filter[2]!];
}

/** The least size that makes so many outputs; with 'SAME', the largest. */
function sizeFor(outputs: number, stride: number, reach: number, padding: AxisPadding): number {
  if (padding === 'SAME') return outputs * stride;
  const [before, after] = padding === 'VALID' ? [0, 0] : padding;
  return outputs === 0 ? 0 : Math.max((outputs - 1) * stride + reach - before - after, 0);
}
