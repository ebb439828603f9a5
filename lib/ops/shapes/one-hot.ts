import { allocate } from '../../autodiff/scope';
import { record, toAnyTensor, type TensorLike } from '../../autodiff/tape';
import { checkNumber, checkTensorDType } from '../../checks';
import { checkOptions, type NamesOf } from '../../options';
import { isFloat, type DType, type TensorDType } from '../../tensor/dtype';
import { ownIndexTensor, type IndicesLike } from '../../tensor/indexed-slices';
import { sizeOf } from '../../tensor/shape';
import type { Tensor } from '../../tensor/tensor';
import { kernels } from '../../tensor/trace';
import { repeated } from '../layout';
import { castTo, reshaped, unbroadcast } from '../primitives';
import { checkCount, checkList, positionOf } from './checks';

export interface OneHotOptions<D extends TensorDType = DType> {
  /** The element that is named. Default: 1. */
  onValue?: number;
  /** All others. Default: 0. */
  offValue?: number;
  /** Which dimension of the result the indices name elements of; a negative one counts from the end. Default: -1, the last. */
  axis?: number;
  /** Default: `'float32'`. */
  dtype?: D;
}

const oneHotNames: NamesOf<OneHotOptions> = { onValue: true, offValue: true, axis: true, dtype: true };

/**
 * For each index `depth` elements, of which the one it names is on and all others are off; of an index that is none of these
 * (-1, say) all are off.
 *
 * @param indices whole numbers: an int32 tensor, or an array.
 * @returns the shape of indices with a dimension of size `depth` more.
 * @throws TypeError for arguments of a wrong kind, RangeError for a negative depth or a dimension that the result does not have.
 * Source: `tf.one_hot`.
 */
export function oneHot<D extends TensorDType = DType>(
  indices: IndicesLike,
  depth: number,
  options: OneHotOptions<D> = {},
): Tensor<D> {
  checkOptions('options', options, oneHotNames);
  const { onValue = 1, offValue = 0, axis = -1, dtype = 'float32' as D } = options;
  checkCount('depth', depth);
  checkNumber('onValue', onValue);
  checkNumber('offValue', offValue);
  checkTensorDType('dtype', dtype);
  const own = ownIndexTensor('indices', indices);
  const { shape } = own;
  const position = positionOf('axis', axis, shape.length + 1);
  const outer = sizeOf(shape.slice(0, position));
  const inner = sizeOf(shape.slice(position));
  const type: DType = isFloat(dtype) ? dtype : 'float64';
  const y = allocate(type, [...shape.slice(0, position), depth, ...shape.slice(position)], outer * depth * inner);
  const parts = { sizes: [outer, depth, inner], numbers: [onValue, offValue] };
  kernels.task('oneHot', type, [y.operand, own.operand], parts);
  return (isFloat(dtype) ? y : castTo(y, dtype)) as Tensor<D>;
}

export interface SequenceMaskOptions<D extends TensorDType = 'bool'> {
  /** Default: `'bool'`; 1 and 0 of others. */
  dtype?: D;
}

const maskNames: NamesOf<SequenceMaskOptions> = { dtype: true };

/**
 * For each length so many elements that are true, and false up to `maxLength`.
 *
 * @param lengths whole numbers: an int32 tensor, or an array.
 * @returns [...shape of lengths, maxLength]
 * @throws TypeError for arguments of a wrong kind, RangeError for a negative maxLength.
 * Source: `tf.sequence_mask`.
 */
export function sequenceMask<D extends TensorDType = 'bool'>(
  lengths: IndicesLike,
  maxLength: number,
  options: SequenceMaskOptions<D> = {},
): Tensor<D> {
  checkOptions('options', options, maskNames);
  const { dtype = 'bool' as D } = options;
  checkCount('maxLength', maxLength);
  checkTensorDType('dtype', dtype);
  const own = ownIndexTensor('lengths', lengths);
  const y = allocate('bool', [...own.shape, maxLength], own.size * maxLength);
  kernels.task('sequenceMask', 'bool', [y.operand, own.operand], { sizes: [own.size, maxLength] });
  return (dtype === 'bool' ? y : castTo(y, dtype)) as Tensor<D>;
}

export interface MeshgridOptions {
  /** `'xy'`: as plots have it, the first two dimensions of the results swapped; `'ij'`: as matrices do. Default: `'xy'`. */
  indexing?: 'xy' | 'ij';
}

const meshNames: NamesOf<MeshgridOptions> = { indexing: true };

/**
 * Coordinates of a grid: of each list a tensor that has at every place of the grid the list's number there.
 *
 * Gradient: the sum over the places that have a number.
 *
 * @param lists tensors of one dimension.
 * @throws TypeError for arguments of a wrong kind.
 * Source: `tf.meshgrid`.
 */
export function meshgrid(lists: readonly TensorLike[], options: MeshgridOptions = {}): Tensor[] {
  checkOptions('options', options, meshNames);
  const { indexing = 'xy' } = options;
  if (indexing !== 'xy' && indexing !== 'ij')
    throw new RangeError(`indexing must be 'xy' or 'ij', got ${String(indexing)}`);
  checkList('lists', lists);
  const tensors = lists.map((list, i) => toAnyTensor(`lists[${i}]`, list));
  const places = tensors.map((_, i) => (indexing === 'xy' && tensors.length > 1 && i < 2 ? 1 - i : i));
  const shape = new Array<number>(tensors.length);
  tensors.forEach(({ size }, i) => (shape[places[i]!] = size));
  return tensors.map((input, i) => {
    const own = shape.map((size, d) => (d === places[i] ? size : 1));
    return record([input], repeated(input.view(own), shape), (dy) => [reshaped(unbroadcast(dy, own), input.shape)]);
  });
}
