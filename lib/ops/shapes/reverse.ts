import { record, toAnyTensor, type TensorLike } from '../../autodiff/tape';
import type { DType, TensorDType } from '../../tensor/dtype';
import { normalizeAxes, type Shape } from '../../tensor/shape';
import type { Tensor } from '../../tensor/tensor';
import { partOf, taken, type View } from '../layout';

/**
 * A tensor with the elements along some dimensions in reverse order.
 *
 * Gradient: dy in reverse order.
 *
 * @param x of any type
 * @param axes which dimensions; negative ones count from the end.
 * @throws TypeError for arguments of a wrong kind, RangeError for a dimension that x does not have or that repeats.
 * Source: `tf.reverse`.
 */
export function reverse<D extends TensorDType = DType>(
  x: TensorLike | Tensor<D>,
  axes: number | readonly number[],
): Tensor<D> {
  const input = toAnyTensor<D>('x', x);
  const view = backwards(input.shape, normalizeAxes('axes', axes, input.shape.length));
  return record([input], taken(input, view), (dy) => [taken(dy, view)]);
}

function backwards(shape: Shape, axes: readonly number[]): View {
  const has = (d: number): boolean => axes.includes(d) && shape[d]! > 0;
  return partOf(
    shape,
    shape.map((size, d) => (has(d) ? size - 1 : 0)),
    shape,
    shape.map((_, d) => (has(d) ? -1 : 1)),
  );
}
