import { ops, tensor, variable, type Tensor, type Variable } from 'gradstep';
import {
  dense,
  dropout,
  embedding,
  sequential,
  VariableHolder,
  type Embedding,
  type Sequential,
} from 'gradstep/layers';
import type { Table } from './table';

export type Part = 'wide' | 'deep';

export interface Sizes {
  readonly buckets: number;
  /** Numbers that stand for a value of a column. */
  readonly features: number;
  readonly hidden: readonly [number, number];
  readonly dropoutRate: number;
}

/** Rows of a table, as tensors. */
export function batchOf(table: Table, rows: Int32Array) {
  const some = <A extends Int32Array | Float32Array>(all: A, size: number, taken: A): A => {
    rows.forEach((row, i) => taken.set(all.subarray(row * size, (row + 1) * size), i * size));
    return taken;
  };
  const { bucketsPerRow, numbersPerRow, categories } = table;
  const n = rows.length;
  return {
    buckets: tensor(some(table.buckets, bucketsPerRow, new Int32Array(n * bucketsPerRow)), [n, bucketsPerRow], 'int32'),
    values: categories.map((_, column) => rows.map((row) => table.values[row * categories.length + column]!)),
    numbers: tensor(some(table.numbers, numbersPerRow, new Float32Array(n * numbersPerRow)), [n, numbersPerRow]),
    labels: tensor(some(table.labels, 1, new Float32Array(n)), [n, 1]),
  };
}

export type Batch = ReturnType<typeof batchOf>;

/**
 * A linear model of many features of which each row has a few, which remembers; and beside it a network over embeddings, which
 * generalises. Their logits are added.
 *
 * Source: Cheng et al. 2016, "Wide & Deep Learning for Recommender Systems".
 */
export class WideAndDeep extends VariableHolder {
  private readonly weights: Variable;
  private readonly embeddings: readonly Embedding[];
  private readonly network: Sequential;
  private readonly parts: ReadonlySet<Part>;

  /** @param parts those that it has. */
  constructor({ categories, numbersPerRow }: Table, { buckets, features, hidden, dropoutRate }: Sizes, parts: Part[]) {
    super();
    this.parts = new Set(parts);
    this.weights = variable(new Float32Array(buckets), { shape: [buckets, 1], name: 'wide/weights' });
    this.embeddings = categories.map((rows, i) => embedding({ rows, features, name: `deep/column${i}` }));
    const inputs = categories.length * features + numbersPerRow;
    this.network = sequential([
      dense({ inputs, units: hidden[0], activation: ops.relu, name: 'deep/hidden1' }),
      dropout(dropoutRate),
      dense({ inputs: hidden[0], units: hidden[1], activation: ops.relu, name: 'deep/hidden2' }),
      dense({ inputs: hidden[1], units: 1, name: 'deep/logit' }),
    ]);
  }

  override variables(): Variable[] {
    return [...this.variablesOf('wide'), ...this.variablesOf('deep')];
  }

  variablesOf(part: Part): Variable[] {
    if (!this.parts.has(part)) return [];
    if (part === 'wide') return [this.weights];
    return [...this.embeddings.flatMap((each) => each.variables()), ...this.network.variables()];
  }

  /** @returns [rows, 1]: logarithms of the odds. */
  logits(batch: Batch, training = false): Tensor {
    const logits: Tensor[] = [];
    if (this.parts.has('wide')) logits.push(ops.reduceSum(ops.gather(this.weights, batch.buckets), 1));
    if (this.parts.has('deep')) {
      const looked = this.embeddings.map((each, column) => each.call(batch.values[column]!));
      logits.push(this.network.call(ops.concat([...looked, batch.numbers], 1), { training }));
    }
    return logits.reduce((sum, each) => ops.add(sum, each));
  }

  loss(batch: Batch): Tensor {
    return ops.reduceMean(ops.sigmoidCrossEntropyWithLogits(batch.labels, this.logits(batch, true)));
  }
}
