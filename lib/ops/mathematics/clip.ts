import { checkNumber } from '../../checks';
import { allocate } from '../../autodiff/scope';
import { record, toTensor, type TensorLike } from '../../autodiff/tape';
import type { Tensor } from '../../tensor/tensor';
import { kernels } from '../../tensor/trace';
import { binary } from '../primitives';

/**
 * y = max(min(x, high), low), element by element: where low > high, low wins. NaN stays NaN.
 *
 * The gradient goes to x where low <= x <= high, and to nothing elsewhere. `clipByValue` takes bounds that are tensors, and
 * IndexedSlices.
 *
 * @returns a tensor of x's shape and dtype.
 * @throws TypeError when x is not a tensor, a variable, a typed array or a number, or a bound is no number.
 * Source: `tf.clip_by_value`.
 */
export function clip(x: TensorLike, low: number, high: number): Tensor {
  const input = toTensor('x', x);
  checkNumber('low', low);
  checkNumber('high', high);
  const y = allocate(input.dtype, input.shape, input.size);
  kernels.clipByValue(y.operand, input.operand, low, high);
  return record([input], y, (dy) => {
    // What has been clipped is another number than before. If low > high, all has been; and nothing passes.
    const passes = low <= high ? binary('equal', input, y) : binary('less', y, y);
    return [binary('reluGradient', passes, dy)];
  });
}
