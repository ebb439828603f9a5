import type { Pair, Padding } from '../../lib/ops/convolution/window';

/** Images, or a filter, as plain numbers. */
export interface Numbers {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

interface Window {
  readonly outputs: number;
  readonly stride: number;
  readonly dilation: number;
  readonly before: number;
}

const both = (pair: Pair): readonly [number, number] => (typeof pair === 'number' ? [pair, pair] : pair);

/** TensorFlow's padding, by its documentation. */
export function windows(
  size: readonly [number, number],
  filter: readonly [number, number],
  strides: Pair,
  dilations: Pair,
  padding: Padding,
): [Window, Window] {
  const along = (d: 0 | 1): Window => {
    const [stride, dilation] = [both(strides)[d], both(dilations)[d]];
    const reach = (filter[d] - 1) * dilation + 1;
    if (padding === 'SAME') {
      const outputs = Math.ceil(size[d] / stride);
      const rest = size[d] % stride;
      const zeros = Math.max(rest === 0 ? reach - stride : reach - rest, 0);
      return { outputs, stride, dilation, before: Math.floor(zeros / 2) };
    }
    const [before, after] =
      typeof padding === 'number' ? [padding, padding] : padding === 'VALID' ? [0, 0] : padding[d];
    const outputs = Math.max(Math.ceil((size[d] + before + after - reach + 1) / stride), 0);
    return { outputs, stride, dilation, before };
  };
  return [along(0), along(1)];
}

/** Every pixel of x that each position sees, position by position. */
export function eachPixel(
  images: number,
  [height, width]: readonly [number, number],
  filter: readonly [number, number],
  [down, across]: readonly [Window, Window],
  visit: (position: number, pixel: number, tap: number) => void,
): void {
  let position = 0;
  for (let n = 0; n < images; n++) {
    for (let i = 0; i < down.outputs; i++) {
      for (let j = 0; j < across.outputs; j++, position++) {
        for (let di = 0; di < filter[0]; di++) {
          for (let dj = 0; dj < filter[1]; dj++) {
            const y = i * down.stride + di * down.dilation - down.before;
            const x = j * across.stride + dj * across.dilation - across.before;
            if (y < 0 || x < 0 || y >= height || x >= width) continue;
            visit(position, (n * height + y) * width + x, di * filter[1] + dj);
          }
        }
      }
    }
  }
}

/** A convolution by its definition. */
export function plainConv2d(
  x: Numbers,
  filter: Numbers,
  {
    strides = 1,
    dilations = 1,
    padding = 'VALID',
    groups = 1,
  }: { strides?: Pair; dilations?: Pair; padding?: Padding; groups?: number },
): { shape: number[]; data: Float64Array } {
  const [images, height, width, channels] = x.shape as [number, number, number, number];
  const [down, across, seen, outputs] = filter.shape as [number, number, number, number];
  const window = windows([height, width], [down, across], strides, dilations, padding);
  const shape = [images, window[0].outputs, window[1].outputs, outputs];
  const data = new Float64Array(shape.reduce((size, dim) => size * dim, 1));
  eachPixel(images, [height, width], [down, across], window, (position, pixel, tap) => {
    for (let o = 0; o < outputs; o++) {
      const first = Math.floor((o * groups) / outputs) * seen;
      for (let c = 0; c < seen; c++) {
        data[position * outputs + o]! +=
          x.data[pixel * channels + first + c]! * filter.data[(tap * seen + c) * outputs + o]!;
      }
    }
  });
  return { shape, data };
}
