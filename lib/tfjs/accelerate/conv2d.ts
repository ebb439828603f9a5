import { native } from '../../native';
import { sizeOf } from '../../tensor/shape';
import { activated, activationOf, isPlainBias } from './activation';
import { isFloat32, type ConvInfo, type Kernel, type KernelCall, type Place, type TensorInfo } from './kernel';
import { copyLayout } from './layout';
import { computed } from './memory';

// A convolution is a product: the patches that the filter is laid on, one a row, times the filter. So is its gradient by
// the filter, and that by the input is a convolution of the output's gradient with the filter turned around. Patches are
// written out block by block, so that they stay in cache and memory does not grow.

/** Elements of patches at a time; a single row of patches may be more. */
const blockElements = 2 ** 17;
// Below so many multiplications TensorFlow.js is done before we have started.
const leastProducts = 1024;

/** Images [height, width, channels] on larger canvases of zeros, apart where a stride was. */
interface Canvas {
  readonly images: Float32Array;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly top: number;
  readonly left: number;
  readonly rowStep: number;
  readonly columnStep: number;
  readonly canvasHeight: number;
  readonly canvasWidth: number;
}

/** Where patches are on a canvas. */
interface Window {
  readonly count: number;
  readonly outHeight: number;
  readonly outWidth: number;
  readonly filterHeight: number;
  readonly filterWidth: number;
  readonly strideHeight: number;
  readonly strideWidth: number;
  readonly dilationHeight: number;
  readonly dilationWidth: number;
}

/** `count` canvases from an image on. What is around the images stays as it was. */
function paint(canvas: Float32Array, c: Canvas, first: number, count: number): void {
  const { images, height, width, channels, canvasWidth, columnStep } = c;
  const rowElements = width * channels;
  for (let i = 0; i < count; i++) {
    for (let row = 0; row < height; row++) {
      const from = ((first + i) * height + row) * rowElements;
      let to = ((i * c.canvasHeight + c.top + row * c.rowStep) * canvasWidth + c.left) * channels;
      if (columnStep === 1) {
        canvas.set(images.subarray(from, from + rowElements), to);
        continue;
      }
      for (let x = from; x < from + rowElements; x += channels, to += columnStep * channels) {
        for (let channel = 0; channel < channels; channel++) canvas[to + channel] = images[x + channel]!;
      }
    }
  }
}

/** Calls `visit` with the patches, [rows, filter elements], block by block; `from` is the first one's number. */
function eachBlock(c: Canvas, w: Window, visit: (patches: Float32Array, from: number, rows: number) => void): void {
  const { channels, canvasHeight, canvasWidth } = c;
  const { count, outHeight, outWidth } = w;
  const elements = w.filterHeight * w.filterWidth * channels;
  const ofImage = outHeight * outWidth * elements;
  const imagesAtOnce = Math.min(count, Math.max(1, Math.floor(blockElements / ofImage)));
  const rowsAtOnce = Math.min(outHeight, Math.max(1, Math.floor(blockElements / (outWidth * elements))));
  const patches = new Float32Array(imagesAtOnce * rowsAtOnce * outWidth * elements);
  const canvasElements = canvasHeight * canvasWidth * channels;
  const isPlain = canvasElements === c.height * c.width * channels;
  const painted = isPlain ? undefined : new Float32Array(imagesAtOnce * canvasElements);
  const ofRow = canvasWidth * channels;
  const strides = [
    canvasElements,
    w.strideHeight * ofRow,
    w.strideWidth * channels,
    w.dilationHeight * ofRow,
    w.dilationWidth * channels,
    1,
  ];
  for (let image = 0; image < count; image += imagesAtOnce) {
    const images = Math.min(imagesAtOnce, count - image);
    if (painted !== undefined) paint(painted, c, image, images);
    const canvases = painted ?? c.images.subarray(image * canvasElements, (image + images) * canvasElements);
    for (let row = 0; row < outHeight; row += rowsAtOnce) {
      const rows = Math.min(rowsAtOnce, outHeight - row);
      const dims = [images, rows, outWidth, w.filterHeight, w.filterWidth, channels];
      const layout = copyLayout(dims, strides);
      const start = row * strides[1]!;
      const size = images * rows * outWidth * elements;
      const isCopy = layout.length === 2 && layout[1] === 1; // 1 x 1 filters: the patches lie there already
      const block = isCopy ? canvases.subarray(start, start + size) : patches.subarray(0, size);
      if (!isCopy) native.permute(block, canvases.subarray(start), layout);
      visit(block, (image * outHeight + row) * outWidth, images * rows * outWidth);
    }
  }
}

/** out [patches, columns] = patches [patches, elements] filter [elements, columns] + bias. */
function convolve(
  out: Float32Array,
  c: Canvas,
  w: Window,
  filter: Float32Array,
  columns: number,
  bias: Float32Array | undefined,
  relu: boolean,
): void {
  eachBlock(c, w, (patches, from, rows) => {
    const part = out.subarray(from * columns, (from + rows) * columns);
    native.gemm(part, patches, filter, rows, columns, patches.length / rows, false, false, bias, relu);
  });
}

/** dw [elements, columns] = patchesᵀ dy. */
function convolveGradient(dw: Float32Array, c: Canvas, w: Window, dy: Float32Array, columns: number): void {
  let block: Float32Array | undefined;
  if (dy.length === 0 || dw.length === 0) return void dw.fill(0);
  eachBlock(c, w, (patches, from, rows) => {
    const part = dy.subarray(from * columns, (from + rows) * columns);
    const sum = block ?? dw;
    native.gemm(sum, patches, part, patches.length / rows, columns, rows, true, false, undefined, false);
    if (block !== undefined) native.addScaled(dw, block, 1);
    block ??= new Float32Array(dw.length);
  });
}

const windowOf = (info: ConvInfo): Window => ({ ...info, count: info.batchSize });

/** The input as patches are taken from it. */
function canvasOf(images: Float32Array, info: ConvInfo): Canvas {
  const { padInfo, inHeight, inWidth } = info;
  const reach = (out: number, stride: number, filter: number, dilation: number): number =>
    (out - 1) * stride + (filter - 1) * dilation + 1;
  const down = reach(info.outHeight, info.strideHeight, info.filterHeight, info.dilationHeight);
  const across = reach(info.outWidth, info.strideWidth, info.filterWidth, info.dilationWidth);
  return {
    images,
    height: inHeight,
    width: inWidth,
    channels: info.inChannels,
    top: padInfo.top,
    left: padInfo.left,
    rowStep: 1,
    columnStep: 1,
    canvasHeight: Math.max(padInfo.top + inHeight, down),
    canvasWidth: Math.max(padInfo.left + inWidth, across),
  };
}

/** The output's gradient, apart as far as the filter went in one step. */
function canvasOfGradient(images: Float32Array, info: ConvInfo): Canvas {
  return {
    images,
    height: info.outHeight,
    width: info.outWidth,
    channels: info.outChannels,
    top: info.filterHeight - 1 - info.padInfo.top,
    left: info.filterWidth - 1 - info.padInfo.left,
    rowStep: info.strideHeight,
    columnStep: info.strideWidth,
    canvasHeight: info.inHeight + info.filterHeight - 1,
    canvasWidth: info.inWidth + info.filterWidth - 1,
  };
}

const fits = ({ top, left, height, width, rowStep, columnStep, canvasHeight, canvasWidth }: Canvas): boolean =>
  top >= 0 && left >= 0 && top + (height - 1) * rowStep < canvasHeight && left + (width - 1) * columnStep < canvasWidth;

/** [height, width, in, out] as [height, width, out, in], both directions turned around. */
function turned(filter: Float32Array, { filterHeight, filterWidth, inChannels, outChannels }: ConvInfo): Float32Array {
  const positions = filterHeight * filterWidth;
  const size = inChannels * outChannels;
  const result = new Float32Array(filter.length);
  const layout = copyLayout([outChannels, inChannels], [1, outChannels]);
  for (let i = 0; i < positions; i++) {
    const at = (positions - 1 - i) * size;
    native.permute(result.subarray(at, at + size), filter.subarray(i * size, (i + 1) * size), layout);
  }
  return result;
}

/** The shapes of a convolution, or undefined for what is left to TensorFlow.js. */
function infoOf(
  { attrs }: KernelCall,
  { tf }: Place,
  xShape: number[],
  filterShape: number[],
  dilations: unknown,
  least = leastProducts,
): ConvInfo | undefined {
  const { dataFormat = 'NHWC', strides, pad, dimRoundingMode } = attrs;
  if (dataFormat !== 'NHWC' || xShape.length !== 4 || xShape[3] !== filterShape[2]) return undefined;
  const info = tf.backend_util.computeConv2DInfo(
    xShape,
    filterShape,
    strides,
    dilations,
    pad,
    dimRoundingMode,
    false,
    'channelsLast',
  );
  const products = sizeOf(info.outShape) * sizeOf(filterShape.slice(0, 3));
  return products < least ? undefined : info;
}

function convolution(
  call: KernelCall,
  place: Place,
  bias: TensorInfo | undefined,
  relu: boolean,
): TensorInfo | undefined {
  const { x, filter } = call.inputs;
  if (!isFloat32(x) || !isFloat32(filter)) return undefined;
  const info = infoOf(call, place, x.shape, filter.shape, call.attrs['dilations']);
  if (info === undefined || !isPlainBias(bias, info.outChannels)) return undefined;
  return computed(call, place, bias ? [x, filter, bias] : [x, filter], info.outShape, (out, images, weights, added) =>
    convolve(out, canvasOf(images, info), windowOf(info), weights, info.outChannels, added, relu),
  );
}

// WASM has XNNPACK's for these two.
const conv2d: Kernel = {
  name: 'Conv2D',
  backends: ['cpu'],
  run: (call, place) => convolution(call, place, undefined, false),
};

const fusedConv2d: Kernel = {
  name: 'FusedConv2D',
  backends: ['cpu'],
  run(call, place) {
    const activation = activationOf(call, place);
    if (activation === undefined) return undefined;
    const result = convolution(call, place, call.inputs['bias'], activation.relu);
    return result && activated(call, place, activation, result);
  },
};

const filterGradient: Kernel = {
  name: 'Conv2DBackpropFilter',
  backends: ['cpu', 'wasm'],
  added: { backend: 'wasm', takes: 'float32 tensors in the format NHWC' },
  run(call, place) {
    const { x, dy } = call.inputs;
    if (!isFloat32(x) || !isFloat32(dy)) return undefined;
    const least = place.backendName === 'wasm' ? 0 : leastProducts; // WASM has no other
    const info = infoOf(call, place, x.shape, call.attrs['filterShape'] as number[], 1, least);
    if (info === undefined || sizeOf(info.outShape) !== sizeOf(dy.shape)) return undefined;
    return computed(call, place, [x, dy], info.filterShape, (dw, images, gradient) =>
      convolveGradient(dw, canvasOf(images, info), windowOf(info), gradient, info.outChannels),
    );
  },
};

const inputGradient: Kernel = {
  name: 'Conv2DBackpropInput',
  backends: ['cpu', 'wasm'],
  run(call, place) {
    const { dy, filter } = call.inputs;
    if (!isFloat32(dy) || !isFloat32(filter)) return undefined;
    const info = infoOf(call, place, call.attrs['inputShape'] as number[], filter.shape, 1);
    if (info === undefined || sizeOf(info.outShape) !== sizeOf(dy.shape)) return undefined;
    const { filterHeight, filterWidth, inChannels } = info;
    const window = {
      count: info.batchSize,
      outHeight: info.inHeight,
      outWidth: info.inWidth,
      filterHeight,
      filterWidth,
      strideHeight: 1,
      strideWidth: 1,
      dilationHeight: 1,
      dilationWidth: 1,
    };
    if (!fits(canvasOfGradient(new Float32Array(0), info))) return undefined;
    return computed(call, place, [dy, filter], info.inShape, (dx, gradient, weights) => {
      convolve(dx, canvasOfGradient(gradient, info), window, turned(weights, info), inChannels, undefined, false);
    });
  },
};

/** Convolutions and their gradients. */
export const convolutions: readonly Kernel[] = [conv2d, fusedConv2d, filterGradient, inputGradient];
