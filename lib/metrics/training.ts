import { checkFunction, isNotNegative, shown } from '../checks';
import { checkOptions, type NamesOf } from '../options';
import { bucketsOf, labelsOf, type MetricLabels } from './definition';
import { Metrics } from './metrics';
import {
  checkedCheckpoint,
  checkedStep,
  type CheckedStep,
  type CheckpointObservation,
  type StepObservation,
} from './observation';
import type { Counter, Gauge, Histogram } from './series';

/** Options of `TrainingMetrics`. */
export interface TrainingMetricsOptions {
  /** What sets them apart from those of another training. Default: none. */
  labels?: MetricLabels;
  /** The limits of `gradstep_step_seconds`. Default: 1, 2.5 and 5 of each power of ten from 10 microseconds to 10 seconds. */
  secondsBuckets?: readonly number[];
  /** The limits of `gradstep_gradient_norm`. Default: 1, 2.5 and 5 of each power of ten from 0.001 to 1000. */
  normBuckets?: readonly number[];
  /** The limits of `gradstep_checkpoint_seconds`. Default: 1, 2.5 and 5 of each power of ten from a millisecond to 100 seconds. */
  checkpointSecondsBuckets?: readonly number[];
}

const names: NamesOf<TrainingMetricsOptions> = {
  labels: true,
  secondsBuckets: true,
  normBuckets: true,
  checkpointSecondsBuckets: true,
};

/** 1, 2.5 and 5 of each power of ten, and the last power. */
function decades(first: number, last: number): readonly number[] {
  const powers = Array.from({ length: last - first }, (_, i) => first + i);
  // By text, so that they are the numbers that are meant.
  return [...powers.flatMap((power) => [1, 2.5, 5].map((digit) => Number(`${digit}e${power}`))), Number(`1e${last}`)];
}

/** What a step may return. */
type Outcome = { readonly [Name in 'loss' | 'norm' | 'applied']?: unknown };

/**
 * The metrics of a training, under names that start with `gradstep_`. All threads that make steps have them; their sums are
 * those of all.
 *
 * @example
 * import { Metrics, TrainingMetrics } from 'gradstep/metrics';
 *
 * const metrics = Metrics.create();
 * const training = new TrainingMetrics(metrics);
 * training.observeStep({ loss: 0.5, norm: 7, clipNorm: 5, seconds: 0.001, examples: 64 });
 * console.log(metrics.text());
 */
export class TrainingMetrics {
  /** `gradstep_steps_total`. */
  readonly steps: Counter;
  /** `gradstep_skipped_steps_total`: those that a loss scale has left out. */
  readonly skippedSteps: Counter;
  /** `gradstep_clipped_steps_total`. */
  readonly clippedSteps: Counter;
  /** `gradstep_examples_total`. */
  readonly examples: Counter;
  /** `gradstep_step_seconds`. */
  readonly stepSeconds: Histogram;
  /** `gradstep_gradient_norm`: the global norm, before clipping. */
  readonly gradientNorm: Histogram;
  /** `gradstep_loss`: of the last step. */
  readonly loss: Gauge;
  /** `gradstep_step`: the number of the last step. */
  readonly step: Gauge;
  /** `gradstep_checkpoint_seconds`: how long saving takes. */
  readonly checkpointSeconds: Histogram;
  /** `gradstep_checkpoint_bytes_total`. */
  readonly checkpointBytes: Counter;
  /** `gradstep_checkpoint_failures_total`. */
  readonly checkpointFailures: Counter;
  /** `gradstep_checkpoint_timestamp_seconds`: when the last one was saved, in seconds since 1970. */
  readonly checkpointTime: Gauge;

  /**
   * @param metrics where they are counted.
   * @throws TypeError, RangeError for other arguments; what defining metrics throws.
   */
  constructor(metrics: Metrics, options: TrainingMetricsOptions = {}) {
    if (!(metrics instanceof Metrics)) throw new TypeError(`metrics must be a Metrics, got ${shown(metrics)}`);
    checkOptions('options', options, names);
    const { labels = {}, secondsBuckets = decades(-5, 1), normBuckets = decades(-3, 3) } = options;
    const { checkpointSecondsBuckets = decades(-3, 2) } = options;
    labelsOf(labels);
    for (const buckets of [secondsBuckets, normBuckets, checkpointSecondsBuckets]) bucketsOf(buckets);
    const counter = (name: string, help: string) => metrics.counter(`gradstep_${name}_total`, { help, labels });
    const last = (name: string, help: string) => metrics.gauge(`gradstep_${name}`, { help, labels, aggregate: 'last' });
    const histogram = (name: string, help: string, buckets: readonly number[]) =>
      metrics.histogram(`gradstep_${name}`, { help, labels, buckets });
    this.steps = counter('steps', 'Training steps made.');
    this.skippedSteps = counter('skipped_steps', 'Training steps left out, as gradients were not finite.');
    this.clippedSteps = counter('clipped_steps', 'Training steps whose gradients were clipped.');
    this.examples = counter('examples', 'Examples trained on.');
    this.stepSeconds = histogram('step_seconds', 'How long a training step takes.', secondsBuckets);
    this.gradientNorm = histogram('gradient_norm', 'Global norm of the gradients before clipping.', normBuckets);
    this.loss = last('loss', 'Loss of the last training step.');
    this.step = last('step', 'Number of the last training step.');
    this.checkpointSeconds = histogram(
      'checkpoint_seconds',
      'How long saving a checkpoint takes.',
      checkpointSecondsBuckets,
    );
    this.checkpointBytes = counter('checkpoint_bytes', 'Bytes of checkpoints saved.');
    this.checkpointFailures = counter('checkpoint_failures', 'Checkpoints that could not be saved.');
    this.checkpointTime = last('checkpoint_timestamp_seconds', 'When the last checkpoint was saved, since 1970.');
  }

  /**
   * Counts a step: what `runSync` or `run` of a compiled step returns, what `onStep` of a replica is told, or your own.
   * @throws TypeError, RangeError for other arguments, with nothing counted.
   */
  observeStep(observation: StepObservation = {}): void {
    this.count(checkedStep(observation));
  }

  private count({ step, seconds, loss, norm, clipNorm, examples, applied = true }: CheckedStep): void {
    if (applied) this.steps.inc();
    else this.skippedSteps.inc();
    if (examples !== undefined) this.examples.inc(examples);
    if (seconds !== undefined) this.stepSeconds.observe(seconds);
    if (loss !== undefined || step !== undefined) this.setLast(loss, step);
    if (norm === undefined || (clipNorm === undefined && Number.isNaN(norm))) return;
    this.gradientNorm.observe(norm);
    if (applied && clipNorm !== undefined && norm > clipNorm) this.clippedSteps.inc();
  }

  private setLast(loss: number | undefined, step: number | undefined): void {
    const ticket = this.loss.ticket();
    if (loss !== undefined) this.loss.setWith(loss, ticket);
    if (step !== undefined) this.step.setWith(step, ticket);
  }

  /**
   * Counts a checkpoint that has been saved.
   * @throws TypeError, RangeError for other arguments, with nothing counted.
   */
  observeCheckpoint(observation: CheckpointObservation = {}): void {
    const { seconds, bytes } = checkedCheckpoint(observation);
    if (seconds !== undefined) this.checkpointSeconds.observe(seconds);
    if (bytes !== undefined) this.checkpointBytes.inc(bytes);
    this.checkpointTime.set(Date.now() / 1000);
  }

  /**
   * Makes a step and counts it, with the time that it takes and the `loss`, `norm` and `applied` of what it returns. One that
   * throws is not counted.
   *
   * @param step makes it; what it returns may be a promise.
   * @param about what else is known of it.
   * @returns what `step` returns.
   * @throws TypeError, RangeError for other arguments, before the step is made; what `step` throws.
   * @example
   * import { Metrics, TrainingMetrics } from 'gradstep/metrics';
   *
   * const training = new TrainingMetrics(Metrics.create());
   * const step = compileStep({ inputs: {}, loss, optimizer, clip: { globalNorm: 5 } });
   * const { loss: value } = training.timeStep(() => step.runSync({}), { clipNorm: 5, examples: 64 });
   */
  timeStep<R>(step: () => R, about: StepObservation = {}): R {
    checkFunction('step', step);
    const known = checkedStep(about);
    const start = performance.now();
    const result = step();
    if (!(result instanceof Promise)) {
      this.countTimed(start, result, known);
      return result;
    }
    const seen = result.then((value: unknown) => {
      this.countTimed(start, value, known);
      return value;
    });
    return seen as R;
  }

  /** What is known of it counts, and else what the result says: a loss by itself, or some of what a compiled step returns. */
  private countTimed(start: number, result: unknown, known: CheckedStep): void {
    const { step, seconds = (performance.now() - start) / 1000, clipNorm, examples } = known;
    const told = (typeof result === 'object' && result !== null ? result : none) as Outcome;
    const loss = known.loss ?? numberOf(typeof result === 'number' ? result : told.loss);
    const norm = known.norm ?? numberOf(told.norm);
    const applied = known.applied ?? (told.applied === false ? false : undefined);
    this.count({ step, seconds, loss, norm, clipNorm, examples, applied });
  }

  /**
   * Saves a checkpoint and counts it, with the time that it takes and the `bytes` of what `saveCheckpoint` resolves with. One
   * that fails counts as a failure.
   *
   * @returns what `save` returns.
   * @throws TypeError unless `save` is a function. The promise is rejected with what `save` throws.
   * @example
   * import { saveCheckpoint } from 'gradstep/checkpoint';
   * import { Metrics, TrainingMetrics } from 'gradstep/metrics';
   *
   * const training = new TrainingMetrics(Metrics.create());
   * const saving = training.timeCheckpoint(() => saveCheckpoint('checkpoints', { variables: [w], optimizer }, { step: 7 }));
   */
  timeCheckpoint<R>(save: () => Promise<R>): Promise<R> {
    checkFunction('save', save);
    return this.counted(save);
  }

  private async counted<R>(save: () => Promise<R>): Promise<R> {
    const start = performance.now();
    let saved: R;
    try {
      saved = await save();
    } catch (error) {
      this.checkpointFailures.inc();
      throw error;
    }
    const { bytes } = ((saved as unknown) ?? {}) as { readonly bytes?: unknown };
    const seconds = (performance.now() - start) / 1000;
    this.observeCheckpoint({ seconds, ...(typeof bytes === 'number' && isNotNegative(bytes) && { bytes }) });
    return saved;
  }
}

const none = {};
const numberOf = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined);
