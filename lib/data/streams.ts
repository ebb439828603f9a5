import { checkBoolean, checkCount, shown } from '../checks';
import { checkGiven, type NamesOf } from '../options';
import { random, RandomGenerator } from '../random';
import { checkSource } from './batches';
import { classOf, namesOf, type Column, type Row } from './rows';

/** What can be read from: of a file, a queue, a database. */
export type Source<T> = AsyncIterable<T> | Iterable<T | Promise<T>>;

export interface BatchedOptions {
  /** How many rows a batch has. */
  batchSize: number;
  /** Whether a last batch of fewer rows is left out. Default: false. */
  dropRemainder?: boolean;
}

export interface ShuffledOptions {
  /** Among how many the next one is chosen. */
  bufferSize: number;
  /** What chooses. Default: `random`. */
  generator?: RandomGenerator;
}

const batchedNames: NamesOf<BatchedOptions> = { batchSize: true, dropRemainder: true };
const shuffledNames: NamesOf<ShuffledOptions> = { bufferSize: true, generator: true };

/** The arrays that rows are put together in: a number becomes an element of a Float32Array. */
export type Batch<R extends Row> = { [N in keyof R]: R[N] extends number ? Float32Array : R[N] };

/**
 * Rows as they come, `batchSize` at a time: what has one name is put together in one array.
 *
 * @param source rows with the same names, of arrays that are each time equally long.
 * @throws TypeError for arguments of a wrong kind; while it is read also for rows of another form, which are named.
 * Source: `tf.data.Dataset.batch`.
 */
export function batched<R extends Row>(source: Source<R>, options: BatchedOptions): AsyncIterable<Batch<R>> {
  checkSource(source);
  checkGiven('options', options, batchedNames);
  const { batchSize, dropRemainder = false } = options;
  checkCount('batchSize', batchSize);
  checkBoolean('dropRemainder', dropRemainder);
  return {
    async *[Symbol.asyncIterator]() {
      let rows: R[] = [];
      let read = 0;
      for await (const row of source) {
        rows.push(row);
        if (rows.length < batchSize) continue;
        yield together(rows, read);
        read += rows.length;
        rows = [];
      }
      if (rows.length > 0 && !dropRemainder) yield together(rows, read);
    },
  };
}

function together<R extends Row>(rows: readonly R[], read: number): Batch<R> {
  const keys = namesOf(`row ${read}`, rows[0]);
  const columns = keys.map((name): [string, Column] => {
    const first = rows[0]![name]!;
    const size = typeof first === 'number' ? 1 : first.length;
    const Class = typeof first === 'number' ? Float32Array : classOf(`${name} of row ${read}`, first);
    const out = new Class(rows.length * size);
    rows.forEach((row, i) => {
      const value: unknown = row[name];
      const fits =
        typeof first === 'number' ? typeof value === 'number' : value instanceof Class && value.length === size;
      if (!fits) {
        throw new TypeError(
          `${name} of row ${read + i} must be ${typeof first === 'number' ? 'a number' : `a ${Class.name} of ${size}`}, as of row ${read}, got ${shown(value)}`,
        );
      }
      if (typeof value === 'number') out[i] = value;
      else out.set(value as Column, i * size);
    });
    return [name, out];
  });
  return Object.fromEntries(columns) as Batch<R>;
}

/**
 * What comes, in a random order: each time one of `bufferSize` that have been read goes out, and the next one takes its place.
 * Every order is as likely only with a buffer for all.
 *
 * @throws TypeError for arguments of a wrong kind, RangeError unless bufferSize is a whole number above 0.
 * Source: `tf.data.Dataset.shuffle`.
 */
export function shuffled<T>(source: Source<T>, options: ShuffledOptions): AsyncIterable<T> {
  checkSource(source);
  checkGiven('options', options, shuffledNames);
  const { bufferSize, generator = random } = options;
  checkCount('bufferSize', bufferSize);
  if (!(generator instanceof RandomGenerator)) {
    throw new TypeError(`generator must be a RandomGenerator, got ${shown(generator)}`);
  }
  return {
    async *[Symbol.asyncIterator]() {
      const waiting: T[] = [];
      for await (const next of source) {
        if (waiting.length < bufferSize) {
          waiting.push(next);
          continue;
        }
        const i = choose(generator, waiting.length);
        const chosen = waiting[i]!;
        waiting[i] = next;
        yield chosen;
      }
      const order = generator.permutation(waiting.length);
      for (const i of order) yield waiting[i]!;
    },
  };
}

function choose(generator: RandomGenerator, count: number): number {
  const unit = generator.uniform([], { dtype: 'float64' });
  const index = Math.floor(unit.item() * count);
  unit.dispose();
  return index;
}

/**
 * What comes, read up to `ahead` in advance, while who reads it is at work: at an asynchronous step, say. Order and errors stay.
 *
 * @throws TypeError for arguments of a wrong kind, RangeError unless `ahead` is a whole number above 0.
 * Source: `tf.data.Dataset.prefetch`.
 * @example
 * const train = async (rows: AsyncIterable<{ x: Float32Array }>, step: (x: Float32Array) => Promise<void>) => {
 *   for await (const { x } of data.prefetched(data.batched(rows, { batchSize: 64 }))) await step(x);
 * };
 */
export function prefetched<T>(source: Source<T>, ahead = 2): AsyncIterable<T> {
  checkSource(source);
  checkCount('ahead', ahead);
  return {
    async *[Symbol.asyncIterator]() {
      const iterator = (async function* () {
        yield* source;
      })();
      const coming: Promise<IteratorResult<T, void>>[] = [];
      const ask = (): void => {
        const result = iterator.next();
        result.catch(() => {}); // it is thrown when its turn comes
        coming.push(result);
      };
      try {
        for (let i = 0; i < ahead; i++) ask();
        for (;;) {
          const result = await coming.shift()!;
          if (result.done === true) return;
          ask();
          yield result.value;
        }
      } finally {
        await iterator.return();
      }
    },
  };
}
