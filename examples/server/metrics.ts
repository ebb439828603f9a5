import { Metrics as SharedMetrics, TrainingMetrics, type MetricsHandle } from 'gradstep/metrics';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Service } from './service';

/** What Prometheus asks for: of the process and its answers, and in shared memory what the workers count. */
export class Metrics {
  readonly registry = new Registry();
  private readonly shared = SharedMetrics.create();
  readonly training = new TrainingMetrics(this.shared);
  private readonly requests = new Histogram({
    name: 'server_request_duration_seconds',
    help: 'How long answers took, by route and status',
    labelNames: ['method', 'route', 'status'] as const,
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1],
    registers: [this.registry],
  });
  readonly predictions = this.counter('server_predictions_total', 'Rows that were predicted');
  readonly accepted = this.counter('server_examples_accepted_total', 'Examples that came in and were taken');
  readonly refused = this.counter('server_examples_refused_total', 'Examples that came in while the queue was full');

  constructor(service: Service) {
    collectDefaultMetrics({ register: this.registry });
    this.shared.collectInto(this.registry);
    this.gauge('server_queue_examples', 'Examples that wait to be trained on', () => service.queue.length);
    this.gauge('server_queue_capacity_examples', 'Examples that may wait', () => service.queue.capacity);
    this.gauge('server_training_running', '1 while workers train', () => Number(service.trainer.state === 'running'));
    this.gauge('server_training_failed', '1 after workers have failed', () =>
      Number(service.trainer.state === 'failed'),
    );
    this.gauge('server_event_clients', 'Who listens to server-sent events', () => service.events.size);
  }

  /** For the workers. */
  share(): MetricsHandle {
    return this.shared.share();
  }

  answered(method: string, route: string, status: number, seconds: number): void {
    this.requests.observe({ method, route, status }, seconds);
  }

  private counter(name: string, help: string): Counter {
    return new Counter({ name, help, registers: [this.registry] });
  }

  private gauge(name: string, help: string, value: () => number): void {
    new Gauge({
      name,
      help,
      registers: [this.registry],
      collect() {
        this.set(value());
      },
    });
  }
}
