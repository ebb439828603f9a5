import { Failure } from '../mnist/failure';
import { Broadcast } from './broadcast';
import { Checkpoints, type Beside, type Saved } from './checkpoints';
import { loadDigits } from './digits';
import { HttpError } from './errors';
import { Evaluator } from './evaluator';
import { Events } from './events';
import { Feed, Told } from './feed';
import { History } from './history';
import { Metrics } from './metrics';
import { Predictor } from './predictor';
import { Progress } from './progress';
import { ExampleQueue, type Example } from './queue';
import { QueueState } from './queue-state';
import { Run, type Mirror } from './run';
import type { Settings } from './settings';
import { Weights } from './shown';
import { EventLoopDelay, WorkerRates, type Status } from './status';
import { Trainer } from './trainer';

/** All that the server is beside HTTP: the run, who trains it, who is asked, what is saved and told. */
export class Service {
  readonly events = new Events();
  readonly history = new History();
  readonly delay = new EventLoopDelay();
  readonly run: Run;
  readonly queue: ExampleQueue;
  readonly feed: Feed;
  readonly progress: Progress;
  readonly trainer: Trainer;
  readonly rates: WorkerRates;
  readonly weights: Weights;
  readonly predictor: Predictor;
  readonly evaluator: Evaluator;
  readonly checkpoints: Checkpoints;
  readonly metrics: Metrics;
  readonly broadcast: Broadcast;
  private changes: Promise<unknown> = Promise.resolve();
  private isEnding = false;

  private constructor(readonly settings: Settings) {
    const { workers, data, stream, batch, learningRate, clipNorm } = settings;
    this.metrics = new Metrics(this);
    this.run = new Run(settings);
    this.queue = new ExampleQueue(settings.queue);
    this.feed = new Feed(this.queue, workers, stream ? loadDigits('train', data) : null, this.run.variables);
    this.progress = new Progress(this.feed, settings.clipNorm);
    this.rates = new WorkerRates(this.feed);
    const tell = (): void => this.broadcast.status();
    const how = { workers, batch, learningRate, clipNorm, metrics: this.metrics.share() };
    this.trainer = new Trainer(this.run, this.feed, how, (report) => this.progress.add(report), tell);
    this.weights = this.newWeights();
    this.predictor = new Predictor(this.weights);
    this.evaluator = new Evaluator(this.newWeights(), loadDigits('test', data));
    this.checkpoints = new Checkpoints(
      this.run,
      settings,
      (mirror) => this.copyTo(mirror),
      this.metrics.training,
      tell,
    );
    this.broadcast = new Broadcast(this);
  }

  /**
   * Goes on from the newest checkpoint, if there is one.
   * @throws Failure for data that is missing, CheckpointError for checkpoints of another model.
   */
  static async open(settings: Settings): Promise<Service> {
    const service = new Service(settings);
    const { trainer, checkpoints, queue, broadcast } = service;
    const waiting = new QueueState();
    const seen = await checkpoints.restore({ queue: waiting });
    const { length } = waiting.examples.labels;
    if (!queue.pushAll(waiting.examples)) {
      throw new Failure(`${length} examples waited when this run was saved: give it a --queue for so many`);
    }
    trainer.restored(seen ?? 0);
    if (seen === null) await checkpoints.save(); // something to go back to
    if (settings.start) service.go();
    broadcast.begin();
    return service;
  }

  get state(): Status['state'] {
    return this.isEnding ? 'stopping' : this.trainer.state;
  }

  get status(): Status {
    const { trainer, queue, checkpoints, settings } = this;
    return {
      state: this.state,
      ...(trainer.reason !== undefined && { reason: trainer.reason }),
      step: trainer.step,
      examplesSeen: trainer.examplesSeen,
      stream: settings.stream,
      queue: { length: queue.length, capacity: queue.capacity },
      workers: this.rates.workers,
      eventLoopDelay: this.delay.now,
      uptimeSeconds: process.uptime(),
      checkpoints: checkpoints.list,
      saving: checkpoints.saving,
      authorization: settings.token !== undefined,
    };
  }

  /** Takes examples. @throws HttpError where there is no room for all of them, or the server ends. */
  accept(examples: readonly Example[]): void {
    this.checkStays();
    if (this.queue.push(examples)) return void this.metrics.accepted.inc(examples.length);
    this.metrics.refused.inc(examples.length);
    const { length, capacity } = this.queue;
    throw new HttpError(429, 'queue_full', `${length} of ${capacity} examples wait: none of these were taken`, 1);
  }

  /** Starts, after a failure from the newest checkpoint. */
  start(): Promise<void> {
    return this.change(async () => {
      this.trainer.expect('idle', 'failed');
      if (this.trainer.state === 'failed') await this.goBack();
      this.go();
    });
  }

  pause(): Promise<void> {
    return this.change(async () => {
      this.trainer.expect('running');
      await this.trainer.pause();
    });
  }

  resume(): Promise<void> {
    return this.change(() => {
      this.trainer.expect('paused');
      this.go();
    });
  }

  restore(step?: number): Promise<void> {
    return this.change(async () => {
      this.trainer.expect('idle', 'paused', 'failed');
      await this.goBack(step);
      if (this.trainer.state === 'failed') this.trainer.become('paused');
    });
  }

  save(): Promise<Saved> {
    this.checkStays();
    return this.checkpoints.save();
  }

  /** Ends the workers after the step that they are at, and saves: what has been accepted is in the checkpoint. */
  close(): Promise<void> {
    this.isEnding = true;
    return this.inTurn(async () => {
      this.broadcast.end();
      this.delay.stop();
      if (this.trainer.state === 'failed') await this.goBack();
      await this.trainer.pause();
      this.broadcast.status();
      await this.checkpoints.save().finally(() => this.events.close());
    });
  }

  private checkStays(): void {
    if (this.isEnding) throw new HttpError(503, 'shutting_down', 'this server is about to end', 5);
  }

  private go(): void {
    this.progress.begin(this.trainer.examplesSeen);
    this.trainer.go();
  }

  private async goBack(step?: number): Promise<void> {
    const seen = await this.checkpoints.restore(step === undefined ? {} : { step });
    this.trainer.restored(seen ?? 0);
    this.history.cut(this.trainer.step);
  }

  private newWeights(): Weights {
    return new Weights(this.feed.memory.shown, this.run.copies());
  }

  private copyTo(mirror: Mirror): Beside {
    this.trainer.copyTo(mirror);
    const { feed, queue } = this;
    return {
      examplesSeen: feed.toldAfter(mirror.step, Told.Seen),
      waiting: queue.since(feed.positionAfter(mirror.step)),
    };
  }

  private change(work: () => Promise<void> | void): Promise<void> {
    return this.inTurn(() => {
      this.checkStays();
      return work();
    });
  }

  /** What changes the state follows each other. */
  private async inTurn(work: () => Promise<void> | void): Promise<void> {
    const own = this.changes.then(work);
    this.changes = own.catch(() => {});
    await own;
  }
}
