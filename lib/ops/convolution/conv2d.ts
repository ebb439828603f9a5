import { record, toTensors, type TensorLike } from '../../autodiff/tape';
import { checkBoolean, isWhole, shown } from '../../checks';
import { checkOptions, type NamesOf } from '../../options';
import { showShape, type Shape } from '../../tensor/shape';
import type { Tensor } from '../../tensor/tensor';
import { binary, summed } from '../primitives';
import { convolved, filterGradient, inputGradient } from './convolve';
import { layoutMeant } from './layouts';
import { axisOf, checkImages, checkPadding, checkPair, type Geometry, type Padding, type Pair } from './window';

/** How a filter goes over images. */
export interface WindowOptions {
  /** How far it is from one position to the next. Default: 1. */
  strides?: Pair;
  /** Default: 'VALID'. */
  padding?: Padding;
  /** How far it is from one pixel that the filter is laid on to the next. Default: 1. */
  dilations?: Pair;
}

export interface Conv2dOptions extends WindowOptions {
  /** Into how many parts input and output channels fall, each of which sees its own part only. Default: 1. */
  groups?: number;
  /** [outputs], added to every pixel of y in the same pass. Default: none. */
  bias?: TensorLike;
  /** Whether what is negative becomes 0, as `relu` does it, in the same pass. Default: false. */
  relu?: boolean;
}

export const windowNames: NamesOf<WindowOptions> = { strides: true, padding: true, dilations: true };
const names: NamesOf<Conv2dOptions> = { ...windowNames, groups: true, bias: true, relu: true };

/**
 * The convolution of images with a filter, as neural networks know it (a cross-correlation):
 *
 * y[n, i, j, o] = Σ x[n, i · stride + di · dilation - padding, j · stride + dj · dilation - padding, c] filter[di, dj, c, o]
 *
 * over the filter's height, width and channels, then plus the bias, then rectified, where these are asked for. What lies
 * outside of an image is zeros, which are multiplied: a factor that is infinite or NaN makes NaN of them. With groups,
 * outputs of the first part see channels of the first part, and so on.
 *
 * Gradients: dx sums, over what each pixel went into, dy times the factor; dfilter, over positions, dy times the pixel;
 * dbias sums dy over all pixels. Where `relu` is on, dy counts where y > 0.
 *
 * @param x [images, height, width, channels].
 * @param filter [height, width, channels / groups, outputs].
 * @returns [images, outputs down, outputs across, outputs]; how many there are is told at `Padding`.
 * @throws TypeError for arguments of a wrong kind or of different dtypes, RangeError for values out of range and shapes
 * that do not fit.
 * Source: `tf.nn.conv2d`; groups as in `torch.nn.functional.conv2d`.
 */
export function conv2d(x: TensorLike, filter: TensorLike, options: Conv2dOptions = {}): Tensor {
  checkOptions('options', options, names);
  const { groups = 1, bias, relu = false } = options;
  checkBoolean('relu', relu);
  const [images, factors] = toTensors('x', x, 'filter', filter);
  const geometry = geometryOf(images.shape, factors.shape, groups, options);
  if (bias === undefined) {
    const y = convolved(images, factors, geometry, { relu });
    return record([images, factors], y, (dy, needed) => {
      const dz = relu ? binary('reluGradient', y, dy) : dy;
      return [
        needed[0] ? inputGradient(dz, factors, geometry) : null,
        needed[1] ? filterGradient(images, dz, geometry) : null,
      ];
    });
  }
  const [, added] = toTensors('x', images, 'bias', bias);
  if (added.shape.length !== 1 || added.shape[0] !== geometry.outputs) {
    throw new RangeError(`bias has shape ${showShape(added.shape)}, expected [${geometry.outputs}] to fit filter`);
  }
  const y = convolved(images, factors, geometry, { bias: added, relu });
  return record([images, factors, added], y, (dy, needed) => {
    const dz = relu ? binary('reluGradient', y, dy) : dy;
    return [
      needed[0] ? inputGradient(dz, factors, geometry) : null,
      needed[1] ? filterGradient(images, dz, geometry) : null,
      needed[2] ? summed(dz, allButLast, added.shape) : null,
    ];
  });
}

const allButLast = [0, 1, 2];

/** @throws TypeError or RangeError for what does not go together. */
export function geometryOf(x: Shape, filter: Shape, groups: unknown, options: WindowOptions): Geometry {
  checkImages('x', x);
  if (filter.length !== 4) {
    throw new RangeError(`filter has shape ${showShape(filter)}, expected [height, width, channels, outputs]`);
  }
  if (typeof groups !== 'number') throw new TypeError(`groups must be a number, got ${shown(groups)}`);
  const [images, height, width, channels] = x as [number, number, number, number];
  const [down, across, seen, outputs] = filter as [number, number, number, number];
  if (!isWhole(groups) || groups === 0 || channels % groups !== 0 || outputs % groups !== 0) {
    throw new RangeError(`groups must divide ${channels} channels and ${outputs} outputs, got ${shown(groups)}`);
  }
  if (seen * groups !== channels) {
    const expected = `[height, width, ${channels / groups}, outputs]`;
    const why = groups === 1 ? '' : ` in ${groups} groups`;
    throw new RangeError(
      `filter has shape ${showShape(filter)}, expected ${expected} to fit x ${showShape(x)}${why}${layoutMeant(x, filter, groups)}`,
    );
  }
  const [strides, dilations, padding] = windowOf(options);
  if (down === 0 || across === 0) throw new RangeError(`filter has shape ${showShape(filter)}: it must have a pixel`);
  return {
    images,
    channels,
    outputs,
    groups,
    down: axisOf('a filter', height, down, strides[0], dilations[0], padding[0]),
    across: axisOf('a filter', width, across, strides[1], dilations[1], padding[1]),
  };
}

/** Strides, dilations and padding, each [down, across]. */
export function windowOf({ strides = 1, dilations = 1, padding = 'VALID' }: WindowOptions) {
  return [checkPair('strides', strides), checkPair('dilations', dilations), checkPadding(padding)] as const;
}
