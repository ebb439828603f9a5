import { allocate } from '../../autodiff/scope';
import { record, toTensor, type TensorLike } from '../../autodiff/tape';
import { checkBoolean } from '../../checks';
import { checkOptions, type NamesOf } from '../../options';
import type { Tensor } from '../../tensor/tensor';
import { kernels } from '../../tensor/trace';
import { alongOne, scanned, scanOption, type Scan } from '../lines';
import { positionOf } from '../shapes/checks';

export interface CumulativeOptions {
  /** Along which dimension; a negative one counts from the end. Default: 0. */
  axis?: number;
  /** Whether an element itself does not count. Default: false. */
  exclusive?: boolean;
  /** Whether it goes from the end to the start. Default: false. */
  reverse?: boolean;
}

const names: NamesOf<CumulativeOptions> = { axis: true, exclusive: true, reverse: true };

/**
 * Along a dimension of each element the sum of all up to it, added up in double precision.
 *
 * Gradient: the same of dy from the other end.
 *
 * @returns a tensor of x's shape and dtype.
 * @throws TypeError for arguments of a wrong kind, RangeError for a dimension that x does not have.
 * Source: `tf.cumsum`.
 */
export function cumsum(x: TensorLike, options: CumulativeOptions = {}): Tensor {
  const input = toTensor('x', x);
  const scan = scanOf(input, options);
  return record([input], scanned(input, scan, false), (dy) => [
    scanned(dy, { ...scan, reverse: !scan.reverse }, false),
  ]);
}

/**
 * Along a dimension of each element the product of all up to it, multiplied in double precision.
 *
 * Gradient: of each element the sum over all products that it is part of, of dy times the other factors; right also where
 * some are 0.
 *
 * @returns a tensor of x's shape and dtype.
 * @throws TypeError for arguments of a wrong kind, RangeError for a dimension that x does not have.
 * Source: `tf.cumprod`.
 */
export function cumprod(x: TensorLike, options: CumulativeOptions = {}): Tensor {
  const input = toTensor('x', x);
  const scan = scanOf(input, options);
  return record([input], scanned(input, scan, true), (dy) => {
    const dx = allocate(input.dtype, input.shape, input.size);
    const parts = { option: scanOption(scan, true), sizes: alongOne(input.shape, scan.axis) };
    kernels.task('scanProductGradient', input.dtype, [dx.operand, input.operand, dy.operand], parts);
    return [dx];
  });
}

function scanOf(x: Tensor, options: CumulativeOptions): Scan {
  checkOptions('options', options, names);
  const { axis = 0, exclusive = false, reverse = false } = options;
  checkBoolean('exclusive', exclusive);
  checkBoolean('reverse', reverse);
  return { axis: positionOf('axis', axis, x.shape.length), exclusive, reverse };
}
