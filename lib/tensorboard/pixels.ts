import * as library from 'gradstep';
import { shown } from '../checks';
import { isFloatArray, kindOf, lengthOf } from '../tensor/arrays';
import type { FloatArray } from '../tensor/dtype';
import { checkShape, showShape } from '../tensor/shape';
import type { Tensor } from '../tensor/tensor';
import type { Variable } from '../tensor/variable';

/** What an image can be made of: numbers from 0 to 1, or bytes. */
export type ImageInput = Tensor | Variable | FloatArray | Uint8Array | Uint8ClampedArray;

/** An image as PNG's lines, each of which starts with a byte that says that it is not filtered. */
export interface Pixels {
  readonly height: number;
  readonly width: number;
  /** 1: gray, 3: RGB, 4: RGBA. */
  readonly channels: number;
  readonly lines: Uint8Array;
}

const mostPixelBytes = 2 ** 31 - 1; // of what zlib and PNG's chunks can have

/**
 * A copy of an image.
 * @param shape [height, width] or [height, width, channels]; an array needs it, of a tensor it is known.
 * @throws TypeError for another kind, RangeError for another shape.
 */
export function pixelsOf(image: unknown, shape: readonly number[] | undefined): Pixels {
  const samples = samplesOf(image);
  const dims =
    shape ?? (image instanceof library.Tensor || image instanceof library.Variable ? image.shape : undefined);
  if (dims === undefined) throw new TypeError('an image that is an array needs { shape: [height, width, channels] }');
  checkShape('shape', dims);
  const [height = 0, width = 0, channels = 1] = dims;
  const isImage = (dims.length === 2 || dims.length === 3) && height > 0 && width > 0 && [1, 3, 4].includes(channels);
  if (!isImage) {
    throw new RangeError(
      `an image must have the shape [height, width] or [height, width, 1, 3 or 4], none of them 0, got ${showShape(dims)}`,
    );
  }
  const needed = height * width * channels;
  if (lengthOf(samples) !== needed) {
    throw new RangeError(`image has ${lengthOf(samples)} elements, shape ${showShape(dims)} needs ${needed}`);
  }
  if (needed + height > mostPixelBytes) throw new RangeError(`image has ${needed} samples, too many for a PNG`);
  return { height, width, channels, lines: linesOf(samples, height, width * channels) };
}

function samplesOf(image: unknown): FloatArray | Uint8Array {
  if (image instanceof library.Tensor) return samplesOf(image.data);
  if (image instanceof library.Variable) return image.data;
  if (isFloatArray(image)) return image;
  const kind = kindOf(image);
  if (kind === 'Uint8Array' || kind === 'Uint8ClampedArray') return image as Uint8Array;
  throw new TypeError(
    `image must be a Tensor, a Variable, a Float32Array, Float64Array, Uint8Array or Uint8ClampedArray, got ${shown(image)}`,
  );
}

function linesOf(samples: FloatArray | Uint8Array, height: number, columns: number): Uint8Array {
  const lines = new Uint8Array(height * (1 + columns));
  const scale = isFloatArray(samples) ? 255 : 1;
  let from = 0;
  let to = 0;
  for (let row = 0; row < height; row++) {
    to++;
    for (let i = 0; i < columns; i++) lines[to++] = byteOf(samples[from++]! * scale);
  }
  return lines;
}

/** The nearest byte; NaN is 0. */
const byteOf = (value: number): number => (value >= 255 ? 255 : value > 0 ? Math.round(value) : 0);
