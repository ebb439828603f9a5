import { checkRange, isIterable, shown } from '../checks';

/** What a metric is. */
export type MetricType = 'counter' | 'gauge' | 'histogram';

/** What a gauge that several threads have is: `'last'` is what was set last, whoever did. */
export type Aggregate = 'sum' | 'min' | 'max' | 'last';

/** Labels as they are given. A label whose value is an empty string is none. */
export type MetricLabels = Readonly<Record<string, string | number>>;

/** One series of a metric: all that records hold but its numbers. */
export interface Definition {
  readonly type: MetricType;
  readonly name: string;
  readonly help: string;
  /** By their names. */
  readonly labels: readonly (readonly [name: string, value: string])[];
  /** Of gauges. */
  readonly aggregate: Aggregate;
  /** Of histograms: the upper limits of buckets, ascending, without infinity. */
  readonly buckets: readonly number[];
}

const types: readonly MetricType[] = ['counter', 'gauge', 'histogram'];
const aggregates: readonly Aggregate[] = ['sum', 'min', 'max', 'last'];
const mostBuckets = 1000;

/** What is put after a histogram's name for the counter of values that it leaves out. */
export const nonFiniteEnding = '_nonfinite_total';

/** How many numbers a series has: see series.ts for what they are. */
export function numbersOf({ type, buckets }: Definition): number {
  if (type === 'counter') return 1;
  return type === 'gauge' ? 2 : 3 + buckets.length;
}

/**
 * What is wrong with a name by itself or for its type, as Prometheus has it: its naming is kept, so that what is made of a
 * histogram cannot be some other metric.
 * @throws TypeError, RangeError.
 */
export function checkName(type: MetricType, name: unknown): asserts name is string {
  if (typeof name !== 'string') throw new TypeError(`name must be a string, got ${shown(name)}`);
  if (!/^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(name)) {
    throw new RangeError(`name must be letters, digits, _ and :, and no digit first, got ${shown(name)}`);
  }
  const ending = /_(total|bucket|sum|count)$/.exec(name)?.[0];
  if (type === 'counter' && ending !== '_total') {
    throw new RangeError(`the name of a counter must end in _total, got ${shown(name)}`);
  }
  if (name.endsWith(nonFiniteEnding)) {
    throw new RangeError(`the name of a counter must not end in ${nonFiniteEnding}, as those of histograms do`);
  }
  if (type !== 'counter' && ending !== undefined) {
    throw new RangeError(`the name of a ${type} must not end in ${ending}, got ${shown(name)}`);
  }
}

export function checkHelp(help: unknown): asserts help is string {
  if (typeof help !== 'string') throw new TypeError(`help must be a string, got ${shown(help)}`);
}

/** A text as it is after it has been written in UTF-8: halves of characters become U+FFFD. */
export const wellFormed = (text: string): string => text.replace(/\p{Surrogate}/gu, '\ufffd');

/** Labels by their names, those that have a value. @throws TypeError, RangeError for what cannot be labels. */
export function labelsOf(labels: unknown): Definition['labels'] {
  if (typeof labels !== 'object' || labels === null || isIterable(labels)) {
    throw new TypeError(`labels must be an object of values by their names, got ${shown(labels)}`);
  }
  return Object.entries(labels)
    .map(([name, value]: [string, unknown]): [string, string] => {
      checkLabelName(name);
      if (typeof value !== 'string' && typeof value !== 'number') {
        throw new TypeError(`label ${name} must be a string or a number, got ${shown(value)}`);
      }
      return [name, wellFormed(String(value))];
    })
    .filter(([, value]) => value !== '')
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

function checkLabelName(name: string): void {
  if (!/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name) || name.startsWith('__')) {
    throw new RangeError(`a label must be letters, digits and _, and no digit or __ first, got ${shown(name)}`);
  }
  if (name === 'le') throw new RangeError("a label must not be 'le', which buckets of histograms have");
}

/** Limits of buckets; an infinity at the end is left out, as there is one anyway. @throws TypeError, RangeError. */
export function bucketsOf(buckets: unknown): readonly number[] {
  if (!isIterable(buckets) || typeof buckets === 'string') {
    throw new TypeError(`buckets must be an array of numbers, got ${shown(buckets)}`);
  }
  const limits = [...buckets];
  if (limits.at(-1) === Infinity) limits.pop();
  limits.forEach((limit, i) => {
    const before = i === 0 ? -Infinity : (limits[i - 1] as number);
    checkRange(`buckets[${i}]`, limit, 'finite and greater than the one before', (n) => n > before && n < Infinity);
  });
  checkRange('the number of buckets', limits.length, `from 1 to ${mostBuckets}`, (n) => n >= 1 && n <= mostBuckets);
  return limits as number[];
}

/** @throws RangeError for another word. */
export function checkAggregate(aggregate: unknown): asserts aggregate is Aggregate {
  if ((aggregates as readonly unknown[]).includes(aggregate)) return;
  throw new RangeError(`aggregate must be one of '${aggregates.join("', '")}', got ${shown(aggregate)}`);
}

/** All series of a metric have the same of these: the labels may be others. */
export function kindOf({ type, aggregate, buckets }: Definition): string {
  return [type, aggregate, ...buckets].join();
}

const utf8 = new TextDecoder();

/** A definition as the text of a record: the same text for the same definition. */
export function encoded({ type, name, help, labels, aggregate, buckets }: Definition): string {
  return JSON.stringify([type, name, help, labels, aggregate, buckets]);
}

/** The definition in the text of a record; undefined for what is none. */
export function decoded(text: Uint8Array): Definition | undefined {
  try {
    const [type, name, help, labels, aggregate, buckets, ...rest] = JSON.parse(utf8.decode(text)) as unknown[];
    if (!types.includes(type as MetricType) || rest.length > 0) return undefined;
    checkName(type as MetricType, name);
    checkHelp(help);
    checkAggregate(aggregate);
    const limits = type === 'histogram' ? bucketsOf(buckets) : [];
    const pairs = labelsOf(Object.fromEntries(labels as [string, string][]));
    return { type: type as MetricType, name, help, labels: pairs, aggregate, buckets: limits };
  } catch {
    return undefined;
  }
}
