import { record, toAnyTensor, type TensorLike } from '../../autodiff/tape';
import { checkRange, isWhole } from '../../checks';
import { checkOptions, type NamesOf } from '../../options';
import type { DType, TensorDType } from '../../tensor/dtype';
import { showShape, sizeOf, stridesOf, type Shape } from '../../tensor/shape';
import type { Tensor } from '../../tensor/tensor';
import { partOf, placed, taken, type View } from '../layout';
import { reshaped } from '../primitives';
import { checkWholes } from './checks';

/**
 * A part of a tensor: from `begin` on so many elements along each dimension.
 *
 * Gradient: dy there, 0 elsewhere.
 *
 * @param x of any type
 * @param begin where it starts along each dimension.
 * @param size how many there are; -1 for all that follow.
 * @returns a tensor of that size.
 * @throws TypeError for arguments of a wrong kind, RangeError for a part that reaches past x.
 * Source: `tf.slice`.
 */
export function slice<D extends TensorDType = DType>(
  x: TensorLike | Tensor<D>,
  begin: readonly number[],
  size: readonly number[],
): Tensor<D> {
  const input = toAnyTensor<D>('x', x);
  const { shape } = input;
  checkWholes('begin', begin, shape.length, shape);
  checkWholes('size', size, shape.length, shape);
  const sizes = size.map((count, d) => (count === -1 ? shape[d]! - begin[d]! : count));
  const bad = shape.findIndex((all, d) => begin[d]! < 0 || sizes[d]! < 0 || begin[d]! + sizes[d]! > all);
  if (bad >= 0) {
    throw new RangeError(
      `x has shape ${showShape(shape)}, begin is ${showShape(begin)}, size is ${showShape(size)}: dimension ${bad} has no such part`,
    );
  }
  return part(input, partOf(shape, begin, sizes));
}

/** A part of x, recorded. */
function part<D extends TensorDType>(x: Tensor<D>, view: View): Tensor<D> {
  return record([x], taken(x, view), (dy) => [placed(dy, view, x.shape)]);
}

/** Bit i of each mask is of the i-th element of begin, end and strides. */
export interface StridedSliceOptions {
  /** How far one element is from the next along each dimension; a negative one goes backwards. Default: 1. */
  strides?: readonly number[];
  /** Where `begin` does not count: as far in front as can be. Default: 0. */
  beginMask?: number;
  /** Where `end` does not count: as far behind as can be. Default: 0. */
  endMask?: number;
  /** What stands for all dimensions that are not named, one at most. Default: 0. */
  ellipsisMask?: number;
  /** Where a dimension of size 1 is put in. Default: 0. */
  newAxisMask?: number;
  /** Where there is the element at `begin` alone, and no dimension. Default: 0. */
  shrinkAxisMask?: number;
}

const stridedNames: NamesOf<StridedSliceOptions> = {
  strides: true,
  beginMask: true,
  endMask: true,
  ellipsisMask: true,
  newAxisMask: true,
  shrinkAxisMask: true,
};

/**
 * A part of a tensor as Python's x[begin:end:strides] has it: along each dimension every so many elements from `begin` on,
 * `end` not among them; negative ones count from the end, and what is out of range is cut off. Dimensions that are not
 * named are there whole.
 *
 * Gradient: dy there, 0 elsewhere.
 *
 * @param x of any type
 * @throws TypeError for arguments of a wrong kind, RangeError for lists of different lengths, more dimensions than x has, a
 * stride of 0, two ellipses, or a single element that x does not have.
 * Source: `tf.strided_slice`.
 * @example
 * const x = tensor([[1, 2, 3], [4, 5, 6]]);
 * ops.stridedSlice(x, [0, 2], [2, -4], { strides: [1, -2] }); // [[3, 1], [6, 4]]
 */
export function stridedSlice<D extends TensorDType = DType>(
  x: TensorLike | Tensor<D>,
  begin: readonly number[],
  end: readonly number[],
  options: StridedSliceOptions = {},
): Tensor<D> {
  checkOptions('options', options, stridedNames);
  const input = toAnyTensor<D>('x', x);
  const { view, shape } = stridedView(input.shape, begin, end, options);
  const y = part(input, view);
  return record([y], reshaped(y, shape), (dy) => [reshaped(dy, view.shape)]);
}

/** The part, and the shape that it gets. */
function stridedView(
  shape: Shape,
  begin: readonly number[],
  end: readonly number[],
  options: StridedSliceOptions,
): { view: View; shape: Shape } {
  const count = Array.isArray(begin) ? begin.length : 0;
  const { strides = new Array<number>(count).fill(1) } = options;
  checkWholes('begin', begin, count, shape);
  checkWholes('end', end, count, shape);
  checkWholes('strides', strides, count, shape);
  const masked = (name: 'beginMask' | 'endMask' | 'ellipsisMask' | 'newAxisMask' | 'shrinkAxisMask') => {
    const mask = options[name] ?? 0;
    checkRange(name, mask, 'a whole number that is not negative', isWhole);
    return (i: number): boolean => ((mask >> i) & 1) === 1;
  };
  const [isOpenBegin, isOpenEnd] = [masked('beginMask'), masked('endMask')];
  const [isEllipsis, isNew, isSingle] = [masked('ellipsisMask'), masked('newAxisMask'), masked('shrinkAxisMask')];
  const entries = Array.from({ length: count }, (_, i) => i);
  const ellipses = entries.filter(isEllipsis);
  if (ellipses.length > 1) throw new RangeError('ellipsisMask must name one element at most');
  const named = entries.filter((i) => !isEllipsis(i) && !isNew(i)).length;
  if (named > shape.length) {
    throw new RangeError(`x has shape ${showShape(shape)}, ${named} of its dimensions are named`);
  }
  const starts: number[] = [];
  const sizes: number[] = [];
  const every: number[] = [];
  const result: number[] = [];
  const all = (dimensions: number): void => {
    for (let k = 0; k < dimensions; k++) {
      const size = shape[starts.length]!;
      starts.push(0);
      sizes.push(size);
      every.push(1);
      result.push(size);
    }
  };
  for (const i of entries) {
    if (isEllipsis(i)) all(shape.length - named);
    else if (isNew(i)) result.push(1);
    else {
      const size = shape[starts.length]!;
      const stride = strides[i]!;
      if (stride === 0) throw new RangeError(`strides[${i}] must not be 0`);
      if (isSingle(i)) {
        const at = begin[i]! < 0 ? begin[i]! + size : begin[i]!;
        if (at < 0 || at >= size)
          throw new RangeError(`begin[${i}] is ${begin[i]}, that dimension has ${size} elements`);
        starts.push(at);
        sizes.push(1);
        every.push(1);
        continue;
      }
      const [low, high] = stride > 0 ? [0, size] : [-1, size - 1];
      const cut = (at: number): number => Math.min(Math.max(at < 0 ? at + size : at, low), high);
      const from = isOpenBegin(i) ? (stride > 0 ? low : high) : cut(begin[i]!);
      const to = isOpenEnd(i) ? (stride > 0 ? high : low) : cut(end[i]!);
      const length = Math.max(0, Math.ceil((to - from) / stride));
      starts.push(length === 0 ? 0 : from);
      sizes.push(length);
      every.push(stride);
      result.push(length);
    }
  }
  all(shape.length - starts.length);
  const steps = stridesOf(shape).map((step, d) => step * every[d]!);
  const start = sizeOf(sizes) === 0 ? 0 : partOf(shape, starts, sizes).start;
  return { view: { shape: sizes, start, steps }, shape: result };
}
