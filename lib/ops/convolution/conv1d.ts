import { toTensors, type TensorLike } from '../../autodiff/tape';
import { shown } from '../../checks';
import { checkOptions, type NamesOf } from '../../options';
import { showShape } from '../../tensor/shape';
import type { Tensor } from '../../tensor/tensor';
import { reshape } from '../reshape';
import { conv2d, type Conv2dOptions } from './conv2d';
import { meantBy, type Padding } from './window';

export interface Conv1dOptions extends Pick<Conv2dOptions, 'groups' | 'bias' | 'relu'> {
  /** How far it is from one position to the next. Default: 1. */
  stride?: number;
  /** Zeros around sequences, as of `conv2d`: 'SAME', 'VALID', [before, after] or one number for both. Default: 'VALID'. */
  padding?: 'SAME' | 'VALID' | number | readonly [number, number];
  /** How far it is from one element that the filter is laid on to the next. Default: 1. */
  dilation?: number;
}

const names: NamesOf<Conv1dOptions> = {
  stride: true,
  padding: true,
  dilation: true,
  groups: true,
  bias: true,
  relu: true,
};

/**
 * `conv2d` of sequences: of images that are one pixel high. Gradients are its own.
 *
 * @param x [sequences, length, channels].
 * @param filter [length, channels / groups, outputs].
 * @returns [sequences, positions, outputs].
 * @throws TypeError for arguments of a wrong kind or of different dtypes, RangeError for values out of range and shapes
 * that do not fit.
 * Source: `tf.nn.conv1d`.
 */
export function conv1d(x: TensorLike, filter: TensorLike, options: Conv1dOptions = {}): Tensor {
  checkOptions('options', options, names);
  const { stride = 1, padding = 'VALID', dilation = 1, ...rest } = options;
  if (typeof stride !== 'number') throw new TypeError(`stride must be a number, got ${shown(stride)}`);
  if (typeof dilation !== 'number') throw new TypeError(`dilation must be a number, got ${shown(dilation)}`);
  const [sequences, factors] = toTensors('x', x, 'filter', filter);
  if (sequences.shape.length !== 3) {
    throw new RangeError(`x has shape ${showShape(sequences.shape)}, expected [sequences, length, channels]`);
  }
  if (factors.shape.length !== 3) {
    throw new RangeError(`filter has shape ${showShape(factors.shape)}, expected [length, channels, outputs]`);
  }
  const [count, length, channels] = sequences.shape as [number, number, number];
  const { groups = 1 } = options;
  const seen = factors.shape[1]!;
  if (typeof groups === 'number' && groups > 0 && channels % groups === 0 && seen * groups !== channels) {
    const expected = `[length, ${channels / groups}, outputs]`;
    const hint =
      seen * groups === length
        ? "; [sequences, length, channels] is what sequences are here: ops.transpose(x, [0, 2, 1]) makes them of PyTorch's, ops.transpose(filter, [2, 1, 0]) filters"
        : '';
    throw new RangeError(
      `filter has shape ${showShape(factors.shape)}, expected ${expected} to fit x ${showShape(sequences.shape)}${hint}`,
    );
  }
  const y = conv2d(reshape(sequences, [count, 1, length, channels]), reshape(factors, [1, ...factors.shape]), {
    ...rest,
    strides: [1, stride],
    dilations: [1, dilation],
    padding: alongSequence(padding),
  });
  const [, , positions, outputs] = y.shape as [number, number, number, number];
  return reshape(y, [count, positions, outputs]);
}

function alongSequence(padding: unknown): Padding {
  if (padding === 'SAME' || padding === 'VALID') return padding;
  const wanted = "padding must be 'SAME', 'VALID', [before, after] or a number";
  const both: unknown = typeof padding === 'number' ? [padding, padding] : padding;
  if (!Array.isArray(both)) throw new TypeError(`${wanted}, got ${shown(padding)}${meantBy(padding)}`);
  if (both.length !== 2) throw new RangeError(`${wanted}, got ${shown(padding)}`);
  return [[0, 0], both as unknown as readonly [number, number]];
}
