import { checkBoolean, checkCount, checkRange, isWhole, shown } from '../checks';
import { checkGiven, type NamesOf } from '../options';
import { random, RandomGenerator } from '../random';
import { classOf, namesOf, type Column, type Columns } from './rows';

export interface BatchesOptions {
  /** How many rows a batch has. */
  batchSize: number;
  /** How many rows the columns have. Default: the length of the shortest column, as of labels. */
  rows?: number;
  /** Whether rows come in another order each time; or what decides the order. Default: false; true takes `random`. */
  shuffle?: boolean | RandomGenerator;
  /** Whether a last batch of fewer rows is left out. Default: false. */
  dropRemainder?: boolean;
}

const names: NamesOf<BatchesOptions> = { batchSize: true, rows: true, shuffle: true, dropRemainder: true };

/**
 * An epoch: all rows of a dataset in memory, `batchSize` at a time, in arrays of their own.
 *
 * @param columns arrays by name. Each holds the rows one after the other: of `length / rows` elements.
 * @returns what can be gone through any number of times, each time in another order with `shuffle`.
 * @throws TypeError for arguments of a wrong kind, RangeError for a column that is not of whole rows.
 * Source: `tf.data.Dataset.from_tensor_slices(...).shuffle(rows).batch(batchSize)`.
 * @example
 * const images = new Float32Array(1000 * 784);
 * const labels = new Int32Array(1000);
 * for (const batch of data.batches({ images, labels }, { batchSize: 64, shuffle: true })) {
 *   const pixels = tensor(batch.images, [batch.labels.length, 784]);
 * }
 */
export function batches<C extends Columns>(columns: C, options: BatchesOptions): Iterable<{ [N in keyof C]: C[N] }> {
  const keys = namesOf('columns', columns);
  checkGiven('options', options, names);
  const { batchSize, shuffle = false, dropRemainder = false } = options;
  checkCount('batchSize', batchSize);
  if (!(shuffle instanceof RandomGenerator) && typeof shuffle !== 'boolean') {
    const hint = typeof shuffle === 'number' ? `: write new RandomGenerator(${String(shuffle)})` : '';
    throw new TypeError(`shuffle must be a boolean or a RandomGenerator, got ${shown(shuffle)}${hint}`);
  }
  checkBoolean('dropRemainder', dropRemainder);
  for (const name of keys) classOf(`columns.${name}`, columns[name]);
  const lengths = keys.map((name) => columns[name]!.length);
  const { rows = Math.min(...lengths) } = options;
  checkRange('rows', rows, 'a whole number', isWhole);
  keys.forEach((name, i) => {
    if (rows === 0 ? lengths[i] === 0 : lengths[i]! % rows === 0) return;
    throw new RangeError(`columns.${name} has ${lengths[i]} elements: they are not ${rows} rows of equal size`);
  });
  const generator = shuffle === true ? random : shuffle === false ? null : shuffle;
  return {
    *[Symbol.iterator]() {
      const order = generator?.permutation(rows) ?? null;
      for (let first = 0; first < rows; first += batchSize) {
        const count = Math.min(batchSize, rows - first);
        if (count < batchSize && dropRemainder) return;
        const batch = keys.map((name): [string, Column] => [name, rowsOf(columns[name]!, rows, first, count, order)]);
        yield Object.fromEntries(batch) as { [N in keyof C]: C[N] };
      }
    },
  };
}

function rowsOf(column: Column, rows: number, first: number, count: number, order: Int32Array | null): Column {
  const size = column.length / rows;
  const out = new (classOf('column', column))(count * size);
  if (order === null) {
    out.set(column.subarray(first * size, (first + count) * size));
    return out;
  }
  for (let i = 0; i < count; i++) {
    const from = order[first + i]! * size;
    if (size === 1) out[i] = column[from]!;
    else out.set(column.subarray(from, from + size), i * size);
  }
  return out;
}

/** @throws TypeError unless something can be read from it. */
export function checkSource(source: unknown): asserts source is Iterable<unknown> | AsyncIterable<unknown> {
  const { [Symbol.iterator]: iterator, [Symbol.asyncIterator]: asyncIterator } = (source ?? {}) as Partial<
    Iterable<unknown> & AsyncIterable<unknown>
  >;
  if (typeof iterator === 'function' || typeof asyncIterator === 'function') return;
  throw new TypeError(`source must be an iterable or an async iterable, got ${shown(source)}`);
}
