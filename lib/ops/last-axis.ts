import { checkOptions, type NamesOf } from '../options';
import { checkNumber } from '../checks';
import { normalizeAxes } from '../tensor/shape';
import type { Tensor } from '../tensor/tensor';
import { transpose } from './transpose';

export interface AxisOptions {
  /** Which dimension to normalize over; a negative one counts from the end. Default: -1, the last. */
  axis?: number;
}

const axisNames: NamesOf<AxisOptions> = { axis: true };

/** f works along the last dimension; this makes it work along another. */
export function alongAxis(x: Tensor, options: AxisOptions, f: (x: Tensor) => Tensor): Tensor {
  checkOptions('options', options, axisNames);
  const { axis = -1 } = options;
  checkNumber('axis', axis);
  const rank = x.shape.length;
  if (rank === 0) throw new RangeError('x has shape []: it must have at least one dimension');
  const position = normalizeAxes('axis', axis, rank)[0]!;
  if (position === rank - 1) return f(x);
  const swapped = x.shape.map((_, d) => (d === position ? rank - 1 : d === rank - 1 ? position : d));
  return transpose(f(transpose(x, swapped)), swapped);
}
