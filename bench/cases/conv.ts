// All of it from lib, as what the package's bundle makes and what these modules make are two libraries' tensors: tidy of
// the one gives no memory of the other back, and each call would be given new pages.
import { ops, tensor, tidy, type Tensor } from '../../lib/index';
import { filterGradient, inputGradient } from '../../lib/ops/convolution/convolve';
import { geometryOf } from '../../lib/ops/convolution/conv2d';
import type { Bench, Case } from '../bench';
import { showThreads, weights } from '../data';
import { timed } from '../harness';
import type { ConvShape, ConvWay } from '../peers/convolutions';
import { sampled, type Side } from '../sides';

/** LeNet-5 on MNIST and ResNet-18 on images of 32 x 32. */
const shapes: readonly ConvShape[] = [
  { name: 'LeNet 1', size: 28, channels: 1, outputs: 6, window: 5, stride: 1, padding: 2 },
  { name: 'LeNet 2', size: 14, channels: 6, outputs: 16, window: 5, stride: 1, padding: 0 },
  { name: 'ResNet stem', size: 32, channels: 3, outputs: 64, window: 3, stride: 1, padding: 1 },
  { name: 'ResNet 64', size: 32, channels: 64, outputs: 64, window: 3, stride: 1, padding: 1 },
  { name: 'ResNet 64 to 128', size: 32, channels: 64, outputs: 128, window: 3, stride: 2, padding: 1 },
  { name: 'ResNet 128', size: 16, channels: 128, outputs: 128, window: 3, stride: 1, padding: 1 },
  { name: 'ResNet shortcut to 128', size: 32, channels: 64, outputs: 128, window: 1, stride: 2, padding: 0 },
  { name: 'ResNet 128 to 256', size: 16, channels: 128, outputs: 256, window: 3, stride: 2, padding: 1 },
  { name: 'ResNet 256', size: 8, channels: 256, outputs: 256, window: 3, stride: 1, padding: 1 },
  { name: 'ResNet shortcut to 256', size: 16, channels: 128, outputs: 256, window: 1, stride: 2, padding: 0 },
  { name: 'ResNet 256 to 512', size: 8, channels: 256, outputs: 512, window: 3, stride: 2, padding: 1 },
  { name: 'ResNet 512', size: 4, channels: 512, outputs: 512, window: 3, stride: 1, padding: 1 },
  { name: 'ResNet shortcut to 512', size: 8, channels: 256, outputs: 512, window: 1, stride: 2, padding: 0 },
];

const ways: readonly ConvWay[] = ['forward', 'by input', 'by filter'];

const outputsOf = ({ size, window, stride, padding }: ConvShape): number =>
  Math.floor((size + 2 * padding - window) / stride) + 1;

function ours(shape: ConvShape, images: number, way: ConvWay): Side {
  const { size, channels, outputs, window, stride, padding } = shape;
  const across = outputsOf(shape);
  const made = (dims: number[], step: number): Tensor =>
    tensor(
      weights(
        dims.reduce((a, b) => a * b, 1),
        step,
        1,
      ),
      dims,
    );
  const x = made([images, size, size, channels], 7);
  const filter = made([window, window, channels, outputs], 11);
  const dy = made([images, across, across, outputs], 5);
  const zeros = [padding, padding] as const;
  const options = { strides: stride, padding: [zeros, zeros] as const };
  const geometry = geometryOf(x.shape, filter.shape, 1, options);
  const run: Readonly<Record<ConvWay, () => Tensor>> = {
    forward: () => ops.conv2d(x, filter, options),
    'by input': () => inputGradient(dy, filter, geometry),
    'by filter': () => filterGradient(x, dy, geometry),
  };
  return {
    ...timed('gradstep', () => tidy(() => void run[way]())),
    result: () => tidy(() => sampled(run[way]().data)),
    dispose: () => [x, filter, dy].forEach((each) => each.dispose()),
  };
}

async function sides({ peers, allThreads }: Bench, shape: ConvShape, images: number, way: ConvWay, threads: number) {
  const torch = await peers.torch();
  const tfjs = threads === allThreads ? await peers.tfjs() : null; // it has one, whatever we have
  return [
    ours(shape, images, way),
    tfjs && way === 'forward' && images <= 8 ? await tfjs.conv('wasm', shape, images) : null,
    tfjs && way === 'forward' && images === 1 ? await tfjs.conv('cpu', shape, images) : null,
    torch && (await torch.side('PyTorch', 'conv', threads, { shape: { ...shape }, images, way })),
  ];
}

/** How many times as fast as a peer, over all shapes. */
function mean(bench: Bench, against: string, threads: number): void {
  const end = showThreads(threads);
  bench.measure(`conv, geometric mean against ${against}, ${end}`, () => {
    const ratios = bench.contests
      .filter(({ id }) => id.startsWith('conv ') && id.endsWith(end))
      .flatMap(({ timings }) => timings.filter(({ name }) => name === against).map(({ ratio }) => ratio.median));
    const logs = ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0);
    return { value: Math.exp(logs / ratios.length), unit: '×', atLeast: against === 'PyTorch' ? 0.9 : 10 };
  });
}

export const conv: Case = {
  name: 'conv',
  about: "convolutions of LeNet and ResNet-18, forward and back, against PyTorch's and TensorFlow.js's",
  usesPackages: true,
  async run(bench) {
    const batches = bench.isQuick ? [8] : [1, 8, 32, 64];
    await bench.eachThreadCount(async (threads) => {
      for (const images of batches) {
        for (const shape of shapes) {
          const pixels = outputsOf(shape) ** 2 * images;
          const flops = 2 * pixels * shape.outputs * shape.window ** 2 * shape.channels;
          for (const way of ways) {
            await bench.contest(
              `conv ${shape.name}, batch ${images}, ${way}, ${showThreads(threads)}`,
              () => sides(bench, shape, images, way, threads),
              {
                work: { flops },
                goals: [{ against: 'PyTorch', atLeast: 0.6 }],
                tolerance: 1e-3,
                scale: 0.1 * Math.sqrt(way === 'by filter' ? pixels : shape.outputs),
              },
            );
          }
        }
      }
      mean(bench, 'PyTorch', threads);
      if (threads === bench.allThreads) mean(bench, 'TensorFlow.js WASM', threads);
    });
  },
};
