import { sizeOf } from '../../tensor/shape';
import { isFloat32, type ConvInfo, type Kernel, type KernelCall, type Place } from './kernel';
import { computed } from './memory';

// TensorFlow.js looks up every element of a window by its four indices, and in the gradient every window of an element.
// Here the channels of a window's position, which lie together, are run through at once.

const leastElements = 64;

/** Calls `visit` with where each window's result lies, its first row and column, and those after its last. */
function eachWindow(
  { batchSize, outHeight, outWidth, outChannels, inHeight, inWidth, ...info }: ConvInfo,
  visit: (out: number, image: number, top: number, bottom: number, left: number, right: number) => void,
): void {
  const { filterHeight, filterWidth, strideHeight, strideWidth, padInfo } = info;
  let out = 0;
  for (let image = 0; image < batchSize; image++) {
    for (let row = 0; row < outHeight; row++) {
      const y = row * strideHeight - padInfo.top;
      for (let column = 0; column < outWidth; column++) {
        const x = column * strideWidth - padInfo.left;
        const bottom = Math.min(inHeight, y + filterHeight);
        visit(out, image, Math.max(0, y), bottom, Math.max(0, x), Math.min(inWidth, x + filterWidth));
        out += outChannels;
      }
    }
  }
}

/** The largest of each window; NaNs are passed over. */
function maxima(out: Float32Array, x: Float32Array, info: ConvInfo): void {
  const { inHeight, inWidth, inChannels: channels } = info;
  out.fill(-Infinity);
  eachWindow(info, (to, image, top, bottom, left, right) => {
    for (let row = top; row < bottom; row++) {
      const line = (image * inHeight + row) * inWidth;
      for (let column = left; column < right; column++) {
        const from = (line + column) * channels;
        for (let c = 0; c < channels; c++) {
          const value = x[from + c]!;
          if (value > out[to + c]!) out[to + c] = value;
        }
      }
    }
  });
}

/** dx, of each window's gradient at the first of its largest. */
function gradients(dx: Float32Array, dy: Float32Array, x: Float32Array, info: ConvInfo): void {
  const { inHeight, inWidth, inChannels: channels } = info;
  const largest = new Float32Array(channels);
  const place = new Int32Array(channels);
  dx.fill(0);
  eachWindow(info, (out, image, top, bottom, left, right) => {
    largest.fill(-Infinity);
    place.fill(-1);
    for (let row = top; row < bottom; row++) {
      const line = (image * inHeight + row) * inWidth;
      for (let column = left; column < right; column++) {
        const from = (line + column) * channels;
        for (let c = 0; c < channels; c++) {
          const value = x[from + c]!;
          if (value > largest[c]!) [largest[c], place[c]] = [value, from + c];
        }
      }
    }
    for (let c = 0; c < channels; c++) if (place[c]! >= 0) dx[place[c]!]! += dy[out + c]!;
  });
}

function infoOf({ attrs }: KernelCall, { tf }: Place, shape: number[]): ConvInfo | undefined {
  const { filterSize, strides, pad, dimRoundingMode } = attrs;
  if (shape.length !== 4 || sizeOf(shape) < leastElements) return undefined;
  return tf.backend_util.computePool2DInfo(shape, filterSize, strides, 1, pad, dimRoundingMode);
}

const maxPool: Kernel = {
  name: 'MaxPool',
  backends: ['cpu'],
  run(call, place) {
    const { x } = call.inputs;
    const info = isFloat32(x) ? infoOf(call, place, x.shape) : undefined;
    // A window of one element changes nothing, and TensorFlow.js returns the input itself.
    if (!isFloat32(x) || info === undefined || info.filterHeight * info.filterWidth === 1) return undefined;
    return computed(call, place, [x], info.outShape, (out, values) => maxima(out, values, info));
  },
};

const maxPoolGradient: Kernel = {
  name: 'MaxPoolGrad',
  backends: ['cpu'],
  run(call, place) {
    const { dy, input } = call.inputs;
    if (!isFloat32(dy) || !isFloat32(input)) return undefined;
    const info = infoOf(call, place, input.shape);
    if (info === undefined) return undefined;
    return computed(call, place, [dy, input], input.shape, (dx, gradient, x) => gradients(dx, gradient, x, info));
  },
};

/** Maxima of windows, and their gradient. */
export const pools: readonly Kernel[] = [maxPool, maxPoolGradient];
