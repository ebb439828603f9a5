import { record, toAnyTensor, type TensorLike } from '../autodiff/tape';
import { checkNumber, checkRange, isWhole } from '../checks';
import { checkOptions, type NamesOf } from '../options';
import { isFloat, type DType, type TensorDType } from '../tensor/dtype';
import { IndexedSlices, ownIndices, ownIndexTensor, shapeOfIndices, type IndicesLike } from '../tensor/indexed-slices';
import { normalizeAxes, sameShape, showShape, sizeOf, type Shape } from '../tensor/shape';
import type { AnyTensor, Tensor } from '../tensor/tensor';
import { kernels } from '../tensor/trace';
import { allocate } from '../autodiff/scope';
import { picked, unpicked, type Picks } from './picks';
import { reshaped } from './primitives';

export interface GatherOptions {
  /** Along which dimension of params; a negative one counts from the end. Default: `batchDims`. */
  axis?: number;
  /** How many of the leading dimensions params and indices have in common: each index there has indices of its own. Default: 0. */
  batchDims?: number;
}

const gatherNames: NamesOf<GatherOptions> = { axis: true, batchDims: true };

/**
 * Rows of `params`: y[i] = params[indices[i]]; along another dimension y[..., i, ...] = params[..., indices[i], ...].
 *
 * The gradient is an IndexedSlices: dy's rows with these indices, whatever the number of rows in params. Along another
 * dimension it is dense; so it is in what is compiled, where the function itself computes the indices.
 *
 * @param params [...outer, rows, ...row], of any type
 * @param indices whole numbers, 0 to rows - 1, in any shape (those of an array are in one dimension); they may repeat.
 * @returns [...outer, ...shape of indices, ...row]; with `batchDims` those in front are there once.
 * @throws TypeError for arguments of a wrong kind, RangeError for an index that is no row, params without a dimension, or
 * dimensions that params or indices do not have.
 * Source: `tf.gather`.
 */
export function gather<D extends TensorDType = DType>(
  params: TensorLike | Tensor<D>,
  indices: IndicesLike,
  options: GatherOptions = {},
): Tensor<D> {
  checkOptions('options', options, gatherNames);
  const input: AnyTensor = toAnyTensor<TensorDType>('params', params);
  if (input.shape.length === 0) throw new RangeError('params has shape []: it must have at least one dimension');
  const { batchDims = 0, axis = batchDims } = options;
  checkNumber('axis', axis);
  checkRange('batchDims', batchDims, 'a whole number that is not negative', isWhole);
  const position = normalizeAxes('axis', axis, input.shape.length)[0]!;
  if (position === 0 && batchDims === 0 && isFloat(input.dtype))
    return rowsOf(input as Tensor, indices) as AnyTensor as Tensor<D>;
  const own = ownIndexTensor('indices', indices);
  const picks: Picks = { indices: own, ...placesOf(input.shape, own.shape, position, batchDims) };
  const y = picked(input, picks) as Tensor<D>;
  return record([input], y, (dy) => [unpicked(dy, picks, input.shape)]);
}

function rowsOf(input: Tensor, indices: IndicesLike): Tensor {
  const own = ownIndices('indices', indices);
  const [rows, ...row] = input.shape;
  const shape = [...shapeOfIndices(indices, own), ...row];
  const columns = sizeOf(row);
  const y = allocate(input.dtype, shape, own.length * columns);
  kernels.gather(y.operand, input.operand, own, rows!, columns);
  return record([input], y, (dy) => [
    new IndexedSlices(shape.length === row.length + 1 ? dy : reshaped(dy, [own.length, ...row]), own, input.shape),
  ]);
}

function placesOf(params: Shape, indices: Shape, axis: number, batchDims: number): Omit<Picks, 'indices'> {
  if (batchDims > axis || batchDims > indices.length) {
    throw new RangeError(`batchDims must be at most axis ${axis} and the dimensions of indices, got ${batchDims}`);
  }
  const front = indices.slice(0, batchDims);
  if (!sameShape(front, params.slice(0, batchDims))) {
    throw new RangeError(
      `params has shape ${showShape(params)}, indices has shape ${showShape(indices)}: the first ${batchDims} must be equal`,
    );
  }
  const outer = params.slice(batchDims, axis);
  const own = indices.slice(batchDims);
  const inner = params.slice(axis + 1);
  return {
    shape: [...front, ...outer, ...own, ...inner],
    sizes: [sizeOf(front), sizeOf(outer), sizeOf(own), params[axis]!, sizeOf(inner)],
  };
}
