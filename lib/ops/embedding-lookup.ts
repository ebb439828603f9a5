import { toTensor, type TensorLike } from '../autodiff/tape';
import { checkRange } from '../checks';
import { checkOptions, type NamesOf } from '../options';
import type { IndicesLike } from '../tensor/indexed-slices';
import type { Tensor } from '../tensor/tensor';
import { div } from './div';
import { gather } from './gather';
import { maximum } from './maximum';
import { mul } from './mul';
import { reduceSum } from './reduce-sum';
import { reshape } from './reshape';
import { sqrt } from './sqrt';
import { square } from './square';

export interface EmbeddingLookupOptions {
  /** The shape of the ids. Default: that of an int32 tensor, else [number of ids]. */
  shape?: readonly number[];
  /** Rows whose norm is larger are scaled down to it. Default: none. */
  maxNorm?: number;
}

const names: NamesOf<EmbeddingLookupOptions> = { shape: true, maxNorm: true };

/**
 * Rows of a table: y[...i] = params[ids[...i]], as `gather`, but in the ids' shape.
 *
 * The gradient is an IndexedSlices: dy's rows with these ids, whatever the number of rows in params.
 *
 * @param params [rows, ...row]
 * @param ids whole numbers, 0 to rows - 1; they may repeat.
 * @returns [...shape of ids, ...row]
 * @throws TypeError for arguments of a wrong kind, RangeError for an id that is no row, a shape of another size than ids, or
 * params without a dimension.
 * Source: `tf.nn.embedding_lookup`.
 */
export function embeddingLookup(params: TensorLike, ids: IndicesLike, options: EmbeddingLookupOptions = {}): Tensor {
  checkOptions('options', options, names);
  const { shape, maxNorm } = options;
  if (maxNorm !== undefined) checkRange('maxNorm', maxNorm, 'a positive number', (value) => value > 0);
  const table = toTensor('params', params);
  const found = gather(table, ids);
  const row = table.shape.slice(1);
  const rows = shape === undefined ? found : reshape(found, [...shape, ...row]);
  return maxNorm === undefined ? rows : boundedRows(rows, row.length, maxNorm);
}

/** rows maxNorm / max(norm, maxNorm): the root is of what is never 0. A row is the last `rank` dimensions. */
function boundedRows(rows: Tensor, rank: number, maxNorm: number): Tensor {
  const axes = rows.shape.map((_, d) => d).slice(rows.shape.length - rank);
  const squares = reduceSum(square(rows), axes, { keepDims: true });
  return div(mul(rows, maxNorm), sqrt(maximum(squares, maxNorm * maxNorm)));
}
