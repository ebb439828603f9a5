import type { Shape } from '../../tensor/shape';

// What messages say of shapes that fit once they are in TensorFlow's order: [images, height, width, channels] and
// [height, width, channels, outputs], where PyTorch has [images, channels, height, width] and [outputs, channels, height, width].

const images =
  "[images, height, width, channels] is what images are here: ops.transpose(x, [0, 2, 3, 1]) makes them of PyTorch's";
const filters =
  "[height, width, channels, outputs] is what filters are here: ops.transpose(filter, [2, 3, 1, 0]) makes them of PyTorch's";

/** The rest of a sentence that a filter does not fit images, each of four dimensions; '' where nothing can be guessed. */
export function layoutMeant(x: Shape, filter: Shape, groups: number): string {
  const fits = (channels: number, seen: number): boolean => channels > 0 && seen * groups === channels;
  if (fits(x[3]!, filter[1]!)) return `; ${filters}`;
  if (fits(x[1]!, filter[1]!)) return `; ${images}; ${filters}`;
  return fits(x[1]!, filter[2]!) ? `; ${images}` : '';
}

/** The same of a list of one number for each channel of x. */
export const channelsMeant = (x: Shape, channels: number): string =>
  x.length === 4 && x[1] === channels ? `; ${images}` : '';
