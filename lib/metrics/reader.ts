import {
  kindOf,
  decoded,
  nonFiniteEnding,
  numbersOf,
  type Aggregate,
  type Definition,
  type MetricType,
} from './definition';
import type { MetricsMemory } from './memory';
import { GaugeCell, HistogramCell } from './series';

/** A number of a metric. */
export interface MetricSample {
  /** The metric's name, or that with `_bucket`, `_sum` or `_count`. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A metric with its numbers, over all threads. */
export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: MetricType;
  /** What several threads' values have been made one by. */
  readonly aggregate: Aggregate;
  /** None for a gauge that nobody has set, unless it is a sum. */
  readonly samples: readonly MetricSample[];
}

/** A series of one place. */
interface Found {
  readonly definition: Definition;
  /** Of its metric, and of its labels among those of the metric. */
  readonly kind: string;
  readonly key: string;
  readonly at: number;
}

/** A series over all places. */
interface Total extends Pick<Found, 'definition' | 'kind'> {
  readonly numbers: Float64Array;
}

/** Reads what all threads have written. */
export class Reader {
  /** Of each place what has been read, which stays as it is, and how far. */
  private readonly known: { readonly records: Found[]; end: number }[];

  constructor(private readonly memory: MetricsMemory) {
    this.known = Array.from({ length: memory.places }, () => ({ records: [], end: 0 }));
  }

  /** What there is, of each series of each thread. */
  *definitions(): Generator<Definition> {
    for (let place = 0; place < this.known.length; place++) {
      for (const { definition } of this.recordsOf(place)) yield definition;
    }
  }

  /** All metrics by their names, each with its series by their labels. */
  families(): MetricFamily[] {
    const totals = new Map<string, Map<string, Total>>();
    for (let place = 0; place < this.known.length; place++) {
      const isAlive = this.memory.isTaken(place);
      for (const record of this.recordsOf(place)) this.add(totals, record, isAlive);
    }
    return inOrder(totals).flatMap((series) => familiesOf(inOrder(series)));
  }

  private recordsOf(place: number): readonly Found[] {
    const known = this.known[place]!;
    for (const { text, at, count, end } of this.memory.records(place, known.end)) {
      const definition = decoded(text);
      if (definition !== undefined && numbersOf(definition) === count) {
        known.records.push({ definition, kind: kindOf(definition), key: JSON.stringify(definition.labels), at });
      }
      known.end = end;
    }
    return known.records;
  }

  private add(totals: Map<string, Map<string, Total>>, { definition, kind, key, at }: Found, isAlive: boolean): void {
    let series = totals.get(definition.name);
    if (series === undefined) totals.set(definition.name, (series = new Map<string, Total>()));
    // Two threads that define a metric at the very same time may disagree: then it is what comes first here.
    const [first] = series.values();
    if (first !== undefined && first.kind !== kind) return;
    let total = series.get(key);
    if (total === undefined) {
      total = { definition, kind, numbers: new Float64Array(numbersOf(definition)) };
      series.set(key, total);
    }
    const own = this.memory.numbers.subarray(at, at + total.numbers.length);
    if (definition.type !== 'gauge') addAll(total.numbers, own);
    else addGauge(definition, total.numbers, own, isAlive);
  }
}

function addAll(to: Float64Array, from: Float64Array): void {
  for (let i = 0; i < to.length; i++) to[i]! += from[i]!;
}

/** A gauge of a thread that has ended says nothing any more, but for what was set last. */
function addGauge({ aggregate }: Definition, to: Float64Array, from: Float64Array, isAlive: boolean): void {
  const [value, set] = [from[GaugeCell.Value]!, from[GaugeCell.Set]!];
  const isFirst = to[GaugeCell.Set] === 0;
  if (set === 0 || (aggregate !== 'last' && !isAlive)) return;
  const before = to[GaugeCell.Value]!;
  if (aggregate === 'sum') to[GaugeCell.Value] = before + value;
  else if (aggregate === 'last') to[GaugeCell.Value] = set > to[GaugeCell.Set]! ? value : before;
  else to[GaugeCell.Value] = isFirst ? value : Math[aggregate](before, value);
  to[GaugeCell.Set] = Math.max(set, to[GaugeCell.Set]!);
}

function inOrder<V>(map: ReadonlyMap<string, V>): V[] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value);
}

/** A metric, or the two that a histogram is. */
function familiesOf(totals: readonly Total[]): MetricFamily[] {
  const { name, help, type, aggregate } = totals[0]!.definition;
  if (type !== 'histogram') {
    return [{ name, help, type, aggregate, samples: totals.filter(isSet).map((total) => sampleOf(name, total, 0)) }];
  }
  const apart = name + nonFiniteEnding;
  return [
    { name, help, type, aggregate, samples: totals.flatMap(histogramSamples) },
    {
      name: apart,
      help: `Values of ${name} that are NaN or infinite, which it leaves out.`,
      type: 'counter',
      aggregate,
      samples: totals.map((total) => sampleOf(apart, total, HistogramCell.NonFinite)),
    },
  ];
}

function sampleOf(name: string, { definition, numbers }: Total, cell: number): MetricSample {
  return { name, labels: Object.fromEntries(definition.labels), value: numbers[cell]! };
}

/** Sums are 0 where there is nobody, other gauges are not there as long as nobody has set them. */
const isSet = ({ definition: { type, aggregate }, numbers }: Total): boolean =>
  type !== 'gauge' || aggregate === 'sum' || numbers[GaugeCell.Set] !== 0;

/** Counts go up from bucket to bucket, and the last is that of all: whatever is written meanwhile, they fit together. */
function histogramSamples({ definition: { name, labels, buckets }, numbers }: Total): MetricSample[] {
  const own = Object.fromEntries(labels);
  const samples: MetricSample[] = [];
  let count = 0;
  for (let i = 0; i <= buckets.length; i++) {
    count += numbers[HistogramCell.Counts + i]!;
    const le = i === buckets.length ? '+Inf' : String(buckets[i]);
    samples.push({ name: `${name}_bucket`, labels: { ...own, le }, value: count });
  }
  samples.push({ name: `${name}_sum`, labels: own, value: numbers[HistogramCell.Sum]! });
  samples.push({ name: `${name}_count`, labels: own, value: count });
  return samples;
}
