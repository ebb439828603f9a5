import { allocate } from '../../autodiff/scope';
import { record, toTensor, type TensorLike } from '../../autodiff/tape';
import { sizeOf } from '../../tensor/shape';
import type { Tensor } from '../../tensor/tensor';
import { kernels } from '../../tensor/trace';
import { linesOf } from '../lines';
import { permuted, reshaped } from '../primitives';
import { reductionOf, type ReduceOptions } from '../reduction';

/**
 * The product over the given dimensions, in double precision; 1 of nothing.
 *
 * Gradient: dy times the product of all other elements, right also where some are 0.
 *
 * @param axes which dimensions; negative ones count from the end; an empty list names none. Default: all.
 * @throws TypeError for arguments of a wrong kind, RangeError for an axis that x does not have or that repeats.
 * Source: `tf.reduce_prod`.
 */
export function reduceProd(x: TensorLike, axes?: number | readonly number[], options: ReduceOptions = {}): Tensor {
  const input = toTensor('x', x);
  const { axes: positions, shape } = reductionOf(input, axes, options);
  const { x: lines, sizes } = linesOf(input, positions);
  const y = allocate(input.dtype, shape, sizeOf(shape));
  kernels.task('product', input.dtype, [y.operand, lines.operand], { sizes });
  return record([input], y, (dy) => {
    const dx = allocate(input.dtype, lines.shape, input.size);
    kernels.task('productGradient', input.dtype, [dx.operand, lines.operand, dy.operand], { sizes });
    if (lines === input) return [reshaped(dx, input.shape)];
    const order = [...input.shape.map((_, d) => d).filter((d) => !positions.includes(d)), ...positions];
    return [permuted(dx, order.map((_, d) => order.indexOf(d)))]; // prettier-ignore
  });
}
