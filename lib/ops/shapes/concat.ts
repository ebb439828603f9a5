import { record, type TensorLike } from '../../autodiff/tape';
import type { DType, TensorDType } from '../../tensor/dtype';
import { sameShape, showShape, type Shape } from '../../tensor/shape';
import type { Tensor } from '../../tensor/tensor';
import { joined, partOf, taken, type View } from '../layout';
import { checkList, positionOf } from './checks';
import { toTensorsOfOne } from './parts';

/**
 * Tensors one after the other along a dimension.
 *
 * Gradient: of each its part of dy.
 *
 * @param values at least one, of any type; shapes that differ in that dimension at most.
 * @param axis a negative one counts from the end.
 * @throws TypeError for inputs of a wrong kind or of different dtypes, RangeError for none, for shapes that do not fit or a
 * dimension that they do not have.
 * Source: `tf.concat`.
 */
export function concat<D extends TensorDType = DType>(
  values: readonly (TensorLike | Tensor<D>)[],
  axis: number,
): Tensor<D> {
  checkList('values', values);
  if (values.length === 0) throw new RangeError('values is empty: there must be at least one tensor');
  const tensors = toTensorsOfOne('values', values);
  const first = tensors[0]!.shape;
  const position = positionOf('axis', axis, first.length);
  for (const [i, { shape }] of tensors.entries()) {
    const fits = sameShape(
      shape.map((size, d) => (d === position ? 0 : size)),
      first.map((size, d) => (d === position ? 0 : size)),
    );
    if (fits) continue;
    throw new RangeError(
      `values[0] has shape ${showShape(first)}, values[${i}] has shape ${showShape(shape)}: they must be equal but for axis ${position}`,
    );
  }
  const sizes = tensors.map(({ shape }) => shape[position]!);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const shape = first.map((size, d) => (d === position ? total : size));
  const views = viewsAlong(shape, position, sizes);
  return record(tensors, joined(tensors, views, shape), (dy, needed) =>
    views.map((view, i) => (needed[i]! ? taken(dy, view) : null)),
  );
}

/** Parts of a shape along a dimension, one after the other. */
export function viewsAlong(shape: Shape, axis: number, sizes: readonly number[]): View[] {
  let begin = 0;
  return sizes.map((size) => {
    const from = shape.map((_, d) => (d === axis ? begin : 0));
    begin += size;
    return partOf(
      shape,
      from,
      shape.map((all, d) => (d === axis ? size : all)),
    );
  });
}
