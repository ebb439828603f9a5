import { toAnyTensor, type TensorLike } from '../../autodiff/tape';
import { checkOptions, type NamesOf } from '../../options';
import type { DType, TensorDType } from '../../tensor/dtype';
import { showShape } from '../../tensor/shape';
import type { Tensor } from '../../tensor/tensor';
import { checkCount, checkList, positionOf } from './checks';
import { viewsAlong } from './concat';
import { partsOf } from './parts';

export interface SplitOptions {
  /** Along which dimension; a negative one counts from the end. Default: 0. */
  axis?: number;
}

const splitNames: NamesOf<SplitOptions> = { axis: true };

/**
 * Parts of a tensor along a dimension.
 *
 * Gradient: those of the parts, one after the other.
 *
 * @param x of any type
 * @param numOrSizes how many equal parts, or the size of each.
 * @throws TypeError for arguments of a wrong kind, RangeError for sizes that do not add up to that of the dimension, or a
 * dimension that x does not have.
 * Source: `tf.split`.
 */
export function split<D extends TensorDType = DType>(
  x: TensorLike | Tensor<D>,
  numOrSizes: number | readonly number[],
  options: SplitOptions = {},
): Tensor<D>[] {
  checkOptions('options', options, splitNames);
  const input = toAnyTensor<D>('x', x);
  const { shape } = input;
  const axis = positionOf('axis', options.axis ?? 0, shape.length);
  const size = shape[axis]!;
  const sizes = typeof numOrSizes === 'number' ? equal(numOrSizes, size) : numOrSizes;
  checkList('numOrSizes', sizes);
  for (const [i, part] of sizes.entries()) checkCount(`numOrSizes[${i}]`, part);
  if (sizes.reduce((sum, part) => sum + part, 0) !== size) {
    throw new RangeError(
      `numOrSizes is [${sizes.join(', ')}], x has shape ${showShape(shape)}: sizes must add up to ${size}`,
    );
  }
  return partsOf(input, viewsAlong(shape, axis, sizes));
}

function equal(count: number, size: number): number[] {
  checkCount('numOrSizes', count);
  if (count === 0 || size % count !== 0) {
    throw new RangeError(`numOrSizes is ${count}, which must divide the dimension's size ${size}`);
  }
  return Array.from({ length: count }, () => size / count);
}
