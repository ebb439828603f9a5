import { record, toAnyTensor, type TensorLike } from '../../autodiff/tape';
import type { DType, TensorDType } from '../../tensor/dtype';
import type { Tensor } from '../../tensor/tensor';
import { repeated } from '../layout';
import { reshaped, summed } from '../primitives';
import { checkCount, checkList } from './checks';
import { showShape } from '../../tensor/shape';

/**
 * A tensor so many times one after the other along each dimension.
 *
 * Gradient: the sum over the repetitions.
 *
 * @param x of any type
 * @param multiples how many times along each dimension.
 * @throws TypeError for arguments of a wrong kind, RangeError for more or fewer multiples than dimensions.
 * Source: `tf.tile`.
 */
export function tile<D extends TensorDType = DType>(
  x: TensorLike | Tensor<D>,
  multiples: readonly number[],
): Tensor<D> {
  const input = toAnyTensor<D>('x', x);
  const { shape } = input;
  checkList('multiples', multiples);
  for (const [i, multiple] of multiples.entries()) checkCount(`multiples[${i}]`, multiple);
  if (multiples.length !== shape.length) {
    throw new RangeError(
      `multiples has ${multiples.length} elements, x has shape ${showShape(shape)}: ${shape.length} were expected`,
    );
  }
  // Each dimension is one of repetitions and one of its own.
  const single = shape.flatMap((size) => [1, size]);
  const split = shape.flatMap((size, d) => [multiples[d]!, size]);
  const y = repeated(input.view(single), split);
  const repetitions = shape.map((_, d) => 2 * d);
  return record(
    [input],
    reshaped(
      y,
      shape.map((size, d) => multiples[d]! * size),
    ),
    (dy) => [summed(reshaped(dy, split), repetitions, shape)],
  );
}
