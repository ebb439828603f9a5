import { initializers, ops, type IndicesLike, type Initializer, type Tensor, type Variable } from 'gradstep';
import { checkCount } from '../checks';
import { checkGiven, type NamesOf } from '../options';
import { identityOf } from './checks';
import { parameter, VariableHolder, type LayerOptions } from './layer';

export interface EmbeddingOptions extends LayerOptions {
  /** How many ids there are. */
  rows: number;
  /** How many numbers stand for one. */
  features: number;
  /** Default: `initializers.randomNormal({ stddev: 0.02 })`. */
  initializer?: Initializer;
}

const names: NamesOf<EmbeddingOptions> = { name: true, dtype: true, rows: true, features: true, initializer: true };

/** A row of numbers for each id. Its gradient is sparse: optimizers step the rows that were looked up. */
export class Embedding extends VariableHolder {
  /** [rows, features] */
  readonly table: Variable;

  /** @throws TypeError, RangeError for options of a wrong kind or out of range. */
  constructor(options: EmbeddingOptions) {
    super();
    checkGiven('options', options, names);
    const { rows, features, initializer = initializers.randomNormal({ stddev: 0.02 }) } = options;
    checkCount('rows', rows);
    checkCount('features', features);
    this.table = parameter(identityOf(options, 'embedding'), 'table', [rows, features], initializer);
  }

  override variables(): Variable[] {
    return [this.table];
  }

  /** @param ids whole numbers, 0 to rows - 1. @returns [...shape of ids, features] */
  call(ids: IndicesLike, options: ops.EmbeddingLookupOptions = {}): Tensor {
    return ops.embeddingLookup(this.table, ids, options);
  }
}

/**
 * A row of numbers for each id.
 *
 * @throws TypeError, RangeError for options of a wrong kind or out of range.
 * Source: `tf.nn.embedding_lookup`, `torch.nn.Embedding`.
 */
export const embedding = (options: EmbeddingOptions): Embedding => new Embedding(options);
