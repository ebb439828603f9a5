import { allocate } from '../../autodiff/scope';
import { sizeOf, stridesOf } from '../../tensor/shape';
import type { BoolTensor } from '../../tensor/tensor';
import { kernels } from '../../tensor/trace';
import { taken } from '../layout';
import { runsOf } from '../primitives';
import { reductionOf, type ReduceOptions } from '../reduction';
import { checkMask } from '../shapes/where';

/**
 * Whether any element over the given dimensions is true; false of nothing.
 *
 * @param x a tensor of bool.
 * @param axes which dimensions; negative ones count from the end; an empty list names none. Default: all.
 * @throws TypeError for arguments of a wrong kind, RangeError for an axis that x does not have or that repeats.
 * Source: `tf.reduce_any`.
 */
export function reduceAny(x: BoolTensor, axes?: number | readonly number[], options: ReduceOptions = {}): BoolTensor {
  return logical(x, axes, options, 0);
}

/**
 * Whether all elements over the given dimensions are true; true of nothing.
 *
 * @param x a tensor of bool.
 * @param axes which dimensions; negative ones count from the end; an empty list names none. Default: all.
 * @throws TypeError for arguments of a wrong kind, RangeError for an axis that x does not have or that repeats.
 * Source: `tf.reduce_all`.
 */
export function reduceAll(x: BoolTensor, axes?: number | readonly number[], options: ReduceOptions = {}): BoolTensor {
  return logical(x, axes, options, 1);
}

function logical(
  x: BoolTensor,
  axes: number | readonly number[] | undefined,
  options: ReduceOptions,
  option: number,
): BoolTensor {
  checkMask('x', x);
  const { axes: positions, shape, count } = reductionOf(x, axes, options);
  const out = allocate('bool', shape, sizeOf(shape));
  const { form, sizes } = runsOf(x.shape, positions);
  const [first, second, third] = sizes;
  const run = (of: BoolTensor, lines: readonly number[]): BoolTensor => {
    kernels.task('logical', 'bool', [out.operand, of.operand], { option, sizes: lines });
    return out;
  };
  if (form === '' || form === 'k') return run(x, [first, 1, 1]);
  if (form === 's' || form === 'sk') return run(x, [1, first, second]);
  if (form === 'ks' || form === 'ksk') return run(x, [first, second, third]);
  const order = [...x.shape.map((_, d) => d).filter((d) => !positions.includes(d)), ...positions];
  const steps = stridesOf(x.shape);
  const moved = taken(x, { shape: order.map((d) => x.shape[d]!), start: 0, steps: order.map((d) => steps[d]!) });
  return run(moved, [out.size, count, 1]);
}
