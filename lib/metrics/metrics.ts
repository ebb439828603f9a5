import { checkRange, isWhole, shown } from '../checks';
import { checkOptions, type NamesOf } from '../options';
import {
  bucketsOf,
  checkAggregate,
  checkHelp,
  checkName,
  kindOf,
  labelsOf,
  wellFormed,
  type Aggregate,
  type Definition,
  type MetricLabels,
  type MetricType,
} from './definition';
import { leastBytesPerPlace, MetricsMemory, mostBytesPerPlace, mostPlaces } from './memory';
import { OwnPlace, type Cells } from './place';
import { Reader, type MetricFamily } from './reader';
import { collectInto, type PrometheusRegistry } from './registry';
import { Counter, Gauge, Histogram } from './series';
import { textContentType, textOf } from './text';

/** Options of `Metrics.create`. */
export interface MetricsOptions {
  /** How many threads may write at a time, from 1 to 1024. Threads that only read do not count. Default: 64. */
  threads?: number;
  /** Memory for each: a series takes its text and 8 bytes for each number. Default: 32 KiB. */
  bytesPerThread?: number;
}

/** Options of `counter`. */
export interface MetricOptions {
  /** What it is, in a sentence. */
  help: string;
  /** What sets this series apart from others of the same metric: few different values. Default: none. */
  labels?: MetricLabels;
}

/** Options of `gauge`. */
export interface GaugeOptions extends MetricOptions {
  /** What it is where several threads have it: the sum, least or greatest of those that run, or what was set last, by a thread
   * that may have ended. Default: `'sum'`. */
  aggregate?: Aggregate;
}

/** Options of `histogram`. */
export interface HistogramOptions extends MetricOptions {
  /** The upper limits of its buckets, ascending. One without a limit is added. */
  buckets: readonly number[];
}

const metricsNames: NamesOf<MetricsOptions> = { threads: true, bytesPerThread: true };
const counterNames: NamesOf<MetricOptions> = { help: true, labels: true };
const gaugeNames: NamesOf<GaugeOptions> = { ...counterNames, aggregate: true };
const histogramNames: NamesOf<HistogramOptions> = { ...counterNames, buckets: true };

/** Metrics in another thread's hands: `Metrics.from` makes the same of it. It can be posted, and given as workerData. */
export interface MetricsHandle {
  readonly kind: 'gradstep/metrics';
  readonly buffer: SharedArrayBuffer;
}

/**
 * Counters, gauges and histograms that any thread writes, without waiting for others, and any thread reads as their sum, as
 * Prometheus wants them. All of it is in one piece of shared memory.
 *
 * Each thread writes to a place of its own. When it ends, what it has counted stays, and the next thread goes on in its
 * place. What two threads define under one name is one metric; labels tell series apart.
 *
 * @example
 * import { Metrics } from 'gradstep/metrics';
 *
 * const metrics = Metrics.create();
 * const requests = metrics.counter('http_requests_total', { help: 'Requests.', labels: { status: 200 } });
 * requests.inc();
 * console.log(metrics.text());
 */
export class Metrics {
  private constructor(
    private readonly own: OwnPlace,
    private readonly reader: Reader,
    private readonly labels: MetricLabels,
  ) {}

  /**
   * Metrics of which there are none yet, in new shared memory of `threads * bytesPerThread` bytes. What is not used of it
   * takes no memory of the machine.
   * @throws TypeError, RangeError for options that are none.
   */
  static create(options: MetricsOptions = {}): Metrics {
    checkOptions('options', options, metricsNames);
    const { threads = 64, bytesPerThread = 2 ** 15 } = options;
    checkRange('threads', threads, `a whole number from 1 to ${mostPlaces}`, (n) => {
      return isWhole(n) && n >= 1 && n <= mostPlaces;
    });
    const sizes = `a whole number from ${leastBytesPerPlace} to ${mostBytesPerPlace}`;
    checkRange('bytesPerThread', bytesPerThread, sizes, (n) => {
      return isWhole(n) && n >= leastBytesPerPlace && n <= mostBytesPerPlace;
    });
    return Metrics.over(MetricsMemory.make(threads, bytesPerThread));
  }

  /**
   * The metrics of another thread.
   * @param handle what `share` has given there.
   * @throws TypeError for anything else, RangeError for memory of another version or size.
   */
  static from(handle: MetricsHandle): Metrics {
    const { kind, buffer } = (handle ?? {}) as Partial<MetricsHandle>;
    if (kind !== 'gradstep/metrics') {
      throw new TypeError(`handle must be one of kind 'gradstep/metrics', as share() gives it, got ${shown(handle)}`);
    }
    return Metrics.over(MetricsMemory.at(buffer));
  }

  private static over(memory: MetricsMemory): Metrics {
    return new Metrics(new OwnPlace(memory), new Reader(memory), {});
  }

  /** What another thread makes the same metrics of, by `Metrics.from`. */
  share(): MetricsHandle {
    return { kind: 'gradstep/metrics', buffer: this.own.memory.buffer };
  }

  /**
   * The same metrics, where all that is defined has these labels too: which model it is, or which worker.
   * @throws TypeError, RangeError for what cannot be labels.
   */
  withLabels(labels: MetricLabels): Metrics {
    labelsOf(labels);
    return new Metrics(this.own, this.reader, { ...this.labels, ...labels });
  }

  /**
   * A number that goes up, with the name and labels given: a new one, or that of this thread.
   *
   * @param name letters, digits and `_`, with `_total` at the end.
   * @throws TypeError, RangeError for names, labels and options that are none, or a metric of this name that is something
   * else; Error where this thread has no room for it.
   * @example
   * import { Metrics } from 'gradstep/metrics';
   * const requests = Metrics.create().counter('http_requests_total', { help: 'Requests.', labels: { status: 200 } });
   * requests.inc();
   */
  counter(name: string, options: MetricOptions): Counter {
    checkOptions('options', options, counterNames);
    return new Counter(this.cells({ type: 'counter', ...this.common('counter', name, options) }));
  }

  /**
   * A number that goes up and down, with the name and labels given: a new one, or that of this thread.
   *
   * @throws what `counter` throws.
   * @example
   * import { Metrics } from 'gradstep/metrics';
   * const waiting = Metrics.create().gauge('queue_examples', { help: 'Examples that wait.' });
   * waiting.set(17);
   */
  gauge(name: string, options: GaugeOptions): Gauge {
    checkOptions('options', options, gaugeNames);
    const common = this.common('gauge', name, options);
    const { aggregate = 'sum' } = options;
    checkAggregate(aggregate);
    return new Gauge(this.cells({ type: 'gauge', ...common, aggregate }));
  }

  /**
   * How often values of each size are observed, with the name and labels given: a new one, or that of this thread.
   *
   * @param name with the unit at the end: `request_seconds`.
   * @throws what `counter` throws.
   * @example
   * import { Metrics } from 'gradstep/metrics';
   * const options = { help: 'How long a request takes.', buckets: [0.001, 0.01, 0.1, 1] };
   * Metrics.create().histogram('request_seconds', options).observe(0.02);
   */
  histogram(name: string, options: HistogramOptions): Histogram {
    checkOptions('options', options, histogramNames);
    const common = this.common('histogram', name, options);
    const buckets = bucketsOf(options.buckets);
    return new Histogram(this.cells({ type: 'histogram', ...common, buckets }), Float64Array.from(buckets));
  }

  /** All metrics by their names, each over all threads. */
  collect(): readonly MetricFamily[] {
    return this.reader.families();
  }

  /** All metrics in Prometheus' text format 0.0.4, what a server answers to `GET /metrics`. Of type `contentType`. */
  text(): string {
    return textOf(this.collect());
  }

  /** The MIME type of `text()`: `text/plain; version=0.0.4; charset=utf-8`. */
  get contentType(): string {
    return textContentType;
  }

  /**
   * Puts all metrics into a registry of prom-client, which reads them whenever it is read. What is defined later, by any
   * thread, is there when the registry has been read once more.
   *
   * @param registry prom-client's `register`, or a `Registry`.
   * @throws TypeError for what is none; Error where it has a metric of one of the names: then it has stayed as it was.
   */
  collectInto(registry: PrometheusRegistry): void {
    collectInto(registry, () => this.collect());
  }

  private common(type: MetricType, name: string, options: MetricOptions): Omit<Definition, 'type'> {
    checkName(type, name);
    const { help, labels = {} } = options ?? ({} as MetricOptions);
    checkHelp(help);
    labelsOf(labels);
    return {
      name,
      help: wellFormed(help),
      labels: labelsOf({ ...this.labels, ...labels }),
      aggregate: 'sum',
      buckets: [],
    };
  }

  private cells(definition: Definition): Cells {
    return this.own.find(definition) ?? this.defined(definition);
  }

  private defined(definition: Definition): Cells {
    for (const other of this.reader.definitions()) {
      if (other.name !== definition.name || kindOf(other) === kindOf(definition)) continue;
      const kind = other.type === definition.type ? `${other.type} of another kind` : other.type;
      throw new RangeError(`there is a ${kind} ${definition.name} already`);
    }
    return this.own.add(definition);
  }
}
