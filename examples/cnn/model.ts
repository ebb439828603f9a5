import { compile, ops, type Tensor } from 'gradstep';
import { conv2d, dense, dropout, flatten, sequential, type Sequential } from 'gradstep/layers';
import { classCount, ink, inputSize, type Dataset } from '../mnist/data';

export const side = 28;

/**
 * LeNet-5 as it is built today: two convolutions that are rectified, each with the largest of 2 x 2 pixels after it, and two dense
 * layers.
 */
export function leNet(filters: readonly [number, number], hidden: number, dropoutRate: number): Sequential {
  const [first, second] = filters;
  const halved = (x: Tensor): Tensor => ops.maxPool(x, 2, { strides: 2 });
  const pixels = (side / 4) ** 2;
  return sequential([
    conv2d({ inputs: 1, filters: first, kernelSize: 5, padding: 'SAME', activation: ops.relu, name: 'conv1' }),
    halved,
    conv2d({ inputs: first, filters: second, kernelSize: 5, padding: 'SAME', activation: ops.relu, name: 'conv2' }),
    halved,
    flatten,
    dense({ inputs: pixels * second, units: hidden, activation: ops.relu, name: 'hidden' }),
    dropout(dropoutRate),
    dense({ inputs: hidden, units: classCount, name: 'logits' }),
  ]);
}

/** [images, side, side, 1], from 0 to 1, of rows of pixels. */
export const asImages = (pixels: Tensor): Tensor => ops.reshape(ops.mul(pixels, 1 / ink), [-1, side, side, 1]);

/** How many images of the dataset get their largest logit at their label. */
export function countRight(model: Sequential, { images, labels, count }: Dataset): number {
  const batch = 500;
  const logitsOf = compile(({ x }) => model.call(asImages(x)), { inputs: { x: { shape: [batch, inputSize] } } });
  let right = 0;
  const padded = new Float32Array(batch * inputSize);
  for (let start = 0; start < count; start += batch) {
    const n = Math.min(batch, count - start);
    padded.set(images.data.subarray(start * inputSize, (start + n) * inputSize));
    const { data } = logitsOf.runSync({ x: padded });
    for (let i = 0; i < n; i++) {
      const logits = data.subarray(i * classCount, (i + 1) * classCount);
      if (logits.indexOf(Math.max(...logits)) === labels[start + i]) right++;
    }
  }
  return right;
}
