import { record, toAnyTensor, type TensorLike } from '../../autodiff/tape';
import { checkOptions, type NamesOf } from '../../options';
import type { DType, TensorDType } from '../../tensor/dtype';
import { sameShape, showShape, stridesOf, type Shape } from '../../tensor/shape';
import type { Tensor } from '../../tensor/tensor';
import { joined, taken, type View } from '../layout';
import { checkList, positionOf } from './checks';
import { partsOf, toTensorsOfOne } from './parts';

export interface StackOptions {
  /** Which dimension of the stack counts the tensors; a negative one counts from the end. Default: 0. */
  axis?: number;
}

const stackNames: NamesOf<StackOptions> = { axis: true };

/**
 * Tensors of one shape as one with a dimension more.
 *
 * Gradient: of each its part of dy.
 *
 * @param values at least one, of any type.
 * @throws TypeError for inputs of a wrong kind or of different dtypes, RangeError for none, for different shapes or a
 * dimension that the stack does not have.
 * Source: `tf.stack`.
 */
export function stack<D extends TensorDType = DType>(
  values: readonly (TensorLike | Tensor<D>)[],
  options: StackOptions = {},
): Tensor<D> {
  checkOptions('options', options, stackNames);
  checkList('values', values);
  if (values.length === 0) throw new RangeError('values is empty: there must be at least one tensor');
  const tensors = toTensorsOfOne('values', values);
  const own = tensors[0]!.shape;
  const axis = positionOf('axis', options.axis ?? 0, own.length + 1);
  const other = tensors.findIndex(({ shape }) => !sameShape(shape, own));
  if (other >= 0) {
    throw new RangeError(
      `values[0] has shape ${showShape(own)}, values[${other}] has shape ${showShape(tensors[other]!.shape)}: they must be equal`,
    );
  }
  const shape = [...own.slice(0, axis), tensors.length, ...own.slice(axis)];
  const views = layers(shape, axis);
  return record(tensors, joined(tensors, views, shape), (dy, needed) =>
    views.map((view, i) => (needed[i]! ? taken(dy, view) : null)),
  );
}

/**
 * The tensors that a stack is of: one for each index along a dimension, without that dimension.
 *
 * Gradient: those of the parts, stacked.
 *
 * @param x of any type
 * @throws TypeError for arguments of a wrong kind, RangeError for a dimension that x does not have.
 * Source: `tf.unstack`.
 */
export function unstack<D extends TensorDType = DType>(
  x: TensorLike | Tensor<D>,
  options: StackOptions = {},
): Tensor<D>[] {
  checkOptions('options', options, stackNames);
  const input = toAnyTensor<D>('x', x);
  return partsOf(input, layers(input.shape, positionOf('axis', options.axis ?? 0, input.shape.length)));
}

/** The part for each index along a dimension, without that dimension. */
function layers(shape: Shape, axis: number): View[] {
  const without = <T>(list: readonly T[]): T[] => list.filter((_, d) => d !== axis);
  const steps = stridesOf(shape);
  return Array.from({ length: shape[axis]! }, (_, i) => ({
    shape: without(shape),
    start: i * steps[axis]!,
    steps: without(steps),
  }));
}
