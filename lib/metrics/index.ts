/** @module gradstep/metrics */
export {
  Metrics,
  type GaugeOptions,
  type HistogramOptions,
  type MetricOptions,
  type MetricsHandle,
  type MetricsOptions,
} from './metrics';
export { TrainingMetrics, type TrainingMetricsOptions } from './training';
export type { CheckpointObservation, StepObservation } from './observation';
export type { Counter, Gauge, Histogram } from './series';
export type { Aggregate, MetricLabels, MetricType } from './definition';
export type { MetricFamily, MetricSample } from './reader';
export type { PrometheusRegistry } from './registry';
