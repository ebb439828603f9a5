import { isWhole, shown } from '../../checks';
import { showShape, type Shape } from '../../tensor/shape';

/**
 * Zeros around images. 'SAME': as many outputs as a stride divides the size into, rounded up, with the zeros that this takes
 * shared between both ends, the odd one at the end. 'VALID': none. Or how many: [[above, below], [left, right]], or one number
 * for all four sides.
 */
export type Padding = 'SAME' | 'VALID' | number | readonly [readonly [number, number], readonly [number, number]];

/** Both directions alike, or [down, across]. */
export type Pair = number | readonly [number, number];

/** How a window goes over images along one axis. */
export interface Axis {
  readonly size: number;
  readonly outputs: number;
  readonly window: number;
  readonly stride: number;
  readonly dilation: number;
  /** Zeros in front. */
  readonly padding: number;
}

/** How windows go over images [images, down.size, across.size, channels]. */
export interface Geometry {
  readonly images: number;
  readonly channels: number;
  readonly outputs: number;
  readonly groups: number;
  readonly down: Axis;
  readonly across: Axis;
}

export const inputShape = ({ images, channels, down, across }: Geometry): Shape => [
  images,
  down.size,
  across.size,
  channels,
];

export const outputShape = ({ images, outputs, down, across }: Geometry): Shape => [
  images,
  down.outputs,
  across.outputs,
  outputs,
];

export const filterShape = ({ channels, outputs, groups, down, across }: Geometry): Shape => [
  down.window,
  across.window,
  groups === 0 ? 0 : channels / groups,
  outputs,
];

/** What native/drivers/tasks/convolution.h wants to know. */
export function itemsOf({ images, channels, outputs, groups, down, across }: Geometry): number[] {
  const ofAxis = ({ size, outputs, window, stride, dilation, padding }: Axis): number[] => [
    size,
    outputs,
    window,
    stride,
    dilation,
    padding,
  ];
  return [images, channels, outputs, groups, ...ofAxis(down), ...ofAxis(across)];
}

/** @throws TypeError or RangeError unless `pair` is a positive whole number or two of them. */
export function checkPair(name: string, pair: unknown): readonly [number, number] {
  const both: readonly unknown[] = Array.isArray(pair) ? pair : [pair, pair];
  if (both.length !== 2) {
    const hint =
      both.length === 4 && both[0] === 1 && both[3] === 1
        ? ": of TensorFlow's [1, down, across, 1] take the middle"
        : '';
    throw new RangeError(`${name} must be a number or [down, across], got ${shown(pair)}${hint}`);
  }
  for (const value of both) {
    if (typeof value !== 'number')
      throw new TypeError(`${name} must be a number or [down, across], got ${shown(value)}`);
    if (!isWhole(value) || value === 0 || value >= 2 ** 31) {
      throw new RangeError(`${name} must be a positive whole number, got ${shown(value)}`);
    }
  }
  return both as unknown as readonly [number, number];
}

/** Padding along both axes. @throws TypeError or RangeError for what is none. */
export function checkPadding(padding: unknown): readonly [AxisPadding, AxisPadding] {
  if (padding === 'SAME' || padding === 'VALID') return [padding, padding];
  const wanted = "padding must be 'SAME', 'VALID' or [[above, below], [left, right]]";
  if (typeof padding === 'number') return paddingOf([[padding, padding], [padding, padding]], wanted); // prettier-ignore
  if (!Array.isArray(padding)) throw new TypeError(`${wanted}, got ${shown(padding)}${meantBy(padding)}`);
  return paddingOf(padding, wanted);
}

const words: readonly unknown[] = ['SAME', 'VALID'];

/** How what was meant by a padding in another form is written here. */
export function meantBy(padding: unknown): string {
  const word = typeof padding === 'string' ? padding.toUpperCase() : '';
  return words.includes(word) ? `: write '${word}'` : '';
}

function paddingOf(axes: readonly unknown[], wanted: string): readonly [AxisPadding, AxisPadding] {
  if (axes.length !== 2) {
    const hint = axes.length === 4 ? ": of TensorFlow's four take the two in the middle" : '';
    throw new RangeError(`${wanted}, got ${shown(axes)}${hint}`);
  }
  const isOfNumbers = axes.every((axis) => typeof axis === 'number');
  const hint = isOfNumbers
    ? `: PyTorch's [${axes.join(', ')}] is [[${axes[0]}, ${axes[0]}], [${axes[1]}, ${axes[1]}]]`
    : '';
  for (const axis of axes) {
    if (!Array.isArray(axis)) throw new TypeError(`${wanted}, got ${shown(axis)} in it${hint}`);
    if (axis.length !== 2) throw new RangeError(`${wanted}, got ${shown(axis)} in it`);
    for (const value of axis as unknown[]) {
      if (typeof value !== 'number') throw new TypeError(`${wanted}, got ${shown(value)} in it`);
      if (!isWhole(value) || value >= 2 ** 31) {
        throw new RangeError(`padding must hold whole numbers that are not negative, got ${shown(value)}`);
      }
    }
  }
  return axes as unknown as readonly [AxisPadding, AxisPadding];
}

export type AxisPadding = 'SAME' | 'VALID' | readonly [number, number];

/**
 * TensorFlow's arithmetic of windows.
 * @throws RangeError when the window is larger than the image with its padding.
 */
export function axisOf(
  what: string,
  size: number,
  window: number,
  stride: number,
  dilation: number,
  padding: AxisPadding,
): Axis {
  const reach = (window - 1) * dilation + 1;
  if (padding === 'SAME') {
    const outputs = Math.ceil(size / stride);
    const zeros = Math.max((outputs - 1) * stride + reach - size, 0);
    return { size, outputs, window, stride, dilation, padding: Math.floor(zeros / 2) };
  }
  const [before, after] = padding === 'VALID' ? [0, 0] : padding;
  const padded = size + before + after;
  const outputs = Math.trunc((padded - reach + stride) / stride);
  if (outputs < 0) {
    throw new RangeError(`${what} of ${reach} must not be larger than the image with its padding, ${padded}`);
  }
  return { size, outputs: outputs + 0, window, stride, dilation, padding: before }; // + 0: never -0
}

/** @throws RangeError unless x is images. */
export function checkImages(name: string, shape: Shape): void {
  if (shape.length !== 4) {
    throw new RangeError(`${name} has shape ${showShape(shape)}, expected [images, height, width, channels]`);
  }
}
