import { allocate } from '../../autodiff/scope';
import { record, toTensor, type TensorLike } from '../../autodiff/tape';
import { shown } from '../../checks';
import { checkOptions, type NamesOf } from '../../options';
import { showShape, sizeOf } from '../../tensor/shape';
import type { Int32Tensor, Tensor } from '../../tensor/tensor';
import { kernels } from '../../tensor/trace';
import { unpicked, type Picks } from '../picks';
import { checkCount, positionOf } from '../shapes/checks';
import { transpose } from '../transpose';

/** What `topK` gives. */
export interface TopK {
  /** [..., k], from the greatest on. */
  readonly values: Tensor;
  /** [..., k], where they are in the last dimension of x. */
  readonly indices: Int32Tensor;
}

/**
 * The k greatest along the last dimension, from the greatest on; of equals the first comes first, and NaN is greater than all.
 *
 * Gradient of the values: dy where they are in x, 0 elsewhere.
 *
 * @param k default: 1.
 * @throws TypeError for arguments of a wrong kind, RangeError for x without a dimension, or for more than there are.
 * Source: `tf.math.top_k`.
 */
export function topK(x: TensorLike, k = 1): TopK {
  const input = toTensor('x', x);
  const columns = input.shape.at(-1);
  checkCount('k', k);
  if (columns === undefined) throw new RangeError('x has shape []: it must have at least one dimension');
  if (k > columns)
    throw new RangeError(`k is ${k}, x has shape ${showShape(input.shape)}: it must be at most ${columns}`);
  return sorted(input, k, false);
}

/** The first k of each row when it is sorted. */
function sorted(x: Tensor, k: number, ascending: boolean): TopK {
  const shape = [...x.shape.slice(0, -1), k];
  const rows = sizeOf(x.shape.slice(0, -1));
  const columns = x.shape.at(-1)!;
  const values = allocate(x.dtype, shape, rows * k);
  const indices = allocate('int32', shape, rows * k);
  const parts = { writes: 2, option: Number(ascending), sizes: [rows, columns, k] };
  kernels.task('sort', x.dtype, [values.operand, indices.operand, x.operand], parts);
  const picks: Picks = { indices, sizes: [rows, 1, k, columns, 1], shape };
  return { values: record([x], values, (dy) => [unpicked(dy, picks, x.shape)]), indices };
}

export interface SortOptions {
  /** Along which dimension; a negative one counts from the end. Default: -1, the last. */
  axis?: number;
  /** `'ascending'` from the least on, `'descending'` from the greatest. Default: `'ascending'`. */
  direction?: 'ascending' | 'descending';
}

const sortNames: NamesOf<SortOptions> = { axis: true, direction: true };

/**
 * The elements along a dimension in order; of equals the first comes first, and NaN is greater than all.
 *
 * Gradient: dy where the elements are in x.
 *
 * @throws TypeError for arguments of a wrong kind, RangeError for another direction or a dimension that x does not have.
 * Source: `tf.sort`.
 */
export function sort(x: TensorLike, options: SortOptions = {}): Tensor {
  return along(x, options, (rows, ascending) => sorted(rows, rows.shape.at(-1)!, ascending).values);
}

/**
 * Where the elements along a dimension are, in order: see `sort`. No gradient flows.
 *
 * @throws TypeError for arguments of a wrong kind, RangeError for another direction or a dimension that x does not have.
 * Source: `tf.argsort`.
 */
export function argsort(x: TensorLike, options: SortOptions = {}): Int32Tensor {
  return along(x, options, (rows, ascending) => sorted(rows, rows.shape.at(-1)!, ascending).indices);
}

function along<T extends Tensor | Int32Tensor>(
  x: TensorLike,
  options: SortOptions,
  f: (rows: Tensor, ascending: boolean) => T,
): T {
  checkOptions('options', options, sortNames);
  const { axis = -1, direction = 'ascending' } = options;
  if (direction !== 'ascending' && direction !== 'descending') {
    throw new RangeError(`direction must be 'ascending' or 'descending', got ${shown(direction)}`);
  }
  const input = toTensor('x', x);
  const rank = input.shape.length;
  const position = positionOf('axis', axis, rank);
  const isAscending = direction === 'ascending';
  if (position === rank - 1) return f(input, isAscending);
  const swapped = input.shape.map((_, d) => (d === position ? rank - 1 : d === rank - 1 ? position : d));
  return transpose(f(transpose(input, swapped), isAscending) as Tensor, swapped) as T;
}
