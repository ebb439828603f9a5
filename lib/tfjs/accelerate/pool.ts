import { sizeOf } from '../../tensor/shape';
import { isFloat32, type ConvInfo, type Kernel, type KernelCall, type Place } from './kernel';
import { computed } from './memory';

// TensorFlow.js looks up every element of a window by its four indices, and for the gradient every window of an element.

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
  eachWindow(info, (to, image, top, bottom, left, right) => {
    for (let c = 0; c < channels; c++) {
      let largest = -Infinity;
      for (let row = top; row < bottom; row++) {
        const line = (image * inHeight + row) * inWidth;
        const end = (line + right) * channels;
        for (let at = (line + left) * channels + c; at < end; at += channels) if (x[at]! > largest) largest = x[at]!;
      }
      out[to + c] = largest;
    }
  });
}

/** dx, of each window's gradient at the first of its largest. */
function gradients(dx: Float32Array, dy: Float32Array, x: Float32Array, info: ConvInfo): void {
  const { inHeight, inWidth, inChannels: channels } = info;
  dx.fill(0);
  eachWindow(info, (from, image, top, bottom, left, right) => {
    for (let c = 0; c < channels; c++) {
      let largest = -Infinity;
      let place = -1;
      for (let row = top; row < bottom; row++) {
        const line = (image * inHeight + row) * inWidth;
        const end = (line + right) * channels;
        for (let at = (line + left) * channels + c; at < end; at += channels) {
          if (!(x[at]! > largest)) continue;
          largest = x[at]!;
          place = at;
        }
      }
      if (place >= 0) dx[place]! += dy[from + c]!;
    }
  });
}

function infoOf({ attrs }: KernelCall, { tf }: Place, shape: number[], least = leastElements): ConvInfo | undefined {
  const { filterSize, strides, pad, dimRoundingMode } = attrs;
  if (shape.length !== 4 || sizeOf(shape) < least) return undefined;
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
  backends: ['cpu', 'wasm'],
  run(call, place) {
    const { dy, input } = call.inputs;
    if (!isFloat32(dy) || !isFloat32(input)) return undefined;
    // Also small ones on WASM: its own is wrong where the largest of a window is not positive.
    const info = infoOf(call, place, input.shape, place.backendName === 'wasm' ? 0 : leastElements);
    if (info === undefined) return undefined;
    return computed(call, place, [dy, input], input.shape, (dx, gradient, x) => gradients(dx, gradient, x, info));
  },
};

/** Maxima of windows, and their gradient. */
export const pools: readonly Kernel[] = [maxPool, maxPoolGradient];
