import { shown } from '../checks';
import type { MetricFamily, MetricSample } from './reader';

/** What is asked of a registry of prom-client. */
export interface PrometheusRegistry {
  /** Adds a metric. */
  registerMetric(metric: never): unknown;
  /** The metric of a name, or undefined. */
  getSingleMetric(name: string): unknown;
}

// What a registry of prom-client asks of a metric, which is no class of its own.

interface Value {
  readonly value: number;
  readonly labels: Readonly<Record<string, string>>;
  /** Where it is not that of the metric. */
  readonly metricName?: string;
}

interface Read {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly aggregator: Aggregator;
  readonly values: readonly Value[];
}

/** What it makes several processes' values one by. */
type Aggregator = 'sum' | 'min' | 'max' | 'first';

class RegisteredMetric {
  constructor(
    /** A registry that gives OpenMetrics takes `_total` away from it. */
    public name: string,
    readonly help: string,
    readonly type: string,
    readonly aggregator: Aggregator,
    private readonly samples: () => readonly MetricSample[],
  ) {}

  get(): Promise<Read> {
    const { name, help, type, aggregator } = this;
    const values = this.samples().map(({ name, labels, value }): Value => {
      return { value, labels, ...(type === 'histogram' && { metricName: name }) };
    });
    return Promise.resolve({ name, help, type, aggregator, values });
  }

  /** What threads have counted stays: only they may write it. */
  reset(): void {}
}

/** Registers what `collect` gives, now and whenever the registry is read. */
export function collectInto(registry: PrometheusRegistry, collect: () => readonly MetricFamily[]): void {
  const { registerMetric, getSingleMetric } = (registry ?? {}) as Partial<PrometheusRegistry>;
  if (typeof registerMetric !== 'function' || typeof getSingleMetric !== 'function') {
    throw new TypeError(`registry must be one of prom-client, got ${shown(registry)}`);
  }
  const families = collect();
  for (const { name } of families) {
    if (registry.getSingleMetric(name) === undefined) continue;
    throw new Error(`the registry has a metric ${name} already`);
  }
  const register = (metric: RegisteredMetric): unknown => registry.registerMetric(metric as never);
  let now: Map<string, MetricFamily> | null = null;
  // A registry asks all metrics at once: what one reading finds is good for all of them.
  const read = (): Map<string, MetricFamily> => {
    if (now !== null) return now;
    now = new Map(collect().map((family) => [family.name, family]));
    queueMicrotask(() => (now = null));
    for (const family of now.values()) add(family);
    return now;
  };
  const add = ({ name, help, type, aggregate }: MetricFamily): void => {
    if (registry.getSingleMetric(name) !== undefined) return;
    const aggregator = aggregate === 'last' ? 'first' : aggregate;
    register(new RegisteredMetric(name, help, type, aggregator, () => read().get(name)?.samples ?? []));
  };
  families.forEach(add);
}
