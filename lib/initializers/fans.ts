import type { Shape } from '../tensor/shape';

/**
 * How many inputs feed an output of a layer with weights of this shape, and how many outputs an input feeds: the last two
 * dimensions, times what lies in front of them, the positions of a filter.
 * Source: TensorFlow's `_compute_fans`.
 */
export function fansOf(shape: Shape): { fanIn: number; fanOut: number } {
  if (shape.length === 0) return { fanIn: 1, fanOut: 1 };
  const [inputs, outputs] = [shape.at(-2) ?? shape[0]!, shape.at(-1)!];
  const positions = shape.slice(0, -2).reduce((product, size) => product * size, 1);
  return { fanIn: inputs * positions, fanOut: outputs * positions };
}
