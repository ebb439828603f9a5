import { kernels } from '../tensor/trace';
import type { Tensor } from '../tensor/tensor';
import { allocate } from '../autodiff/scope';
import { record, toTensor, type TensorLike } from '../autodiff/tape';
import { alongAxis, type AxisOptions } from './last-axis';

/**
 * y = eˣ / Σ eˣ, the sum running along one dimension; shifted by the maximum, so that no eˣ overflows.
 *
 * Gradient: dx = (dy - Σ dy y) y.
 *
 * @returns a tensor of x's shape and dtype.
 * @throws TypeError for arguments of a wrong kind, RangeError when x has no dimension or not the one `axis` names.
 * Source: `tf.nn.softmax`.
 */
export function softmax(x: TensorLike, options: AxisOptions = {}): Tensor {
  return alongAxis(toTensor('x', x), options, alongLast);
}

function alongLast(x: Tensor): Tensor {
  const columns = x.shape.at(-1)!;
  const y = allocate(x.dtype, x.shape, x.size);
  if (y.size > 0) kernels.softmax(y.operand, x.operand, columns);
  return record([x], y, (dy) => {
    const dx = allocate(x.dtype, x.shape, x.size);
    if (dx.size > 0) kernels.softmaxGradient(dx.operand, dy.operand, y.operand, columns);
    return [dx];
  });
}
