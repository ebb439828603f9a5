import type { MetricsHandle } from 'gradstep/metrics';
import { trainInWorkers, type StepReport, type Training } from 'gradstep/parallel';
import { join } from 'node:path';
import { Conflict } from './errors';
import { Activity, Told, type Feed } from './feed';
import type { ReplicaData } from './replica';
import type { Mirror, Run } from './run';
import { show } from './shown';

export type State = 'idle' | 'running' | 'paused' | 'failed';

interface Settings {
  readonly workers: number;
  readonly batch: number;
  readonly learningRate: number;
  readonly clipNorm: number;
  readonly metrics: MetricsHandle;
}

/**
 * Starts and stops the workers. What they train stays in this thread's hands: pausing ends them after a whole step, and
 * resuming starts others over the same memory.
 */
export class Trainer {
  state: State = 'idle';
  /** Why the state is `failed`. */
  reason: string | undefined;
  /** The present training, or the last one. */
  training: Training | null = null;
  private firstStep = 0;

  constructor(
    private readonly run: Run,
    readonly feed: Feed,
    private readonly settings: Settings,
    private readonly onStep: (report: StepReport) => void,
    private readonly onChange: () => void,
  ) {
    this.restored(0);
  }

  get step(): number {
    return this.run.globalStep.value;
  }

  /** How many examples have been trained on. */
  get examplesSeen(): number {
    return this.feed.toldAfter(this.step, Told.Seen);
  }

  /** Tells that the run is another one now, restored, in which so many examples have been trained on. */
  restored(examplesSeen: number): void {
    this.feed.begin(this.step, examplesSeen);
    this.show();
  }

  /** @throws Conflict unless it is one of these. */
  expect(...states: readonly State[]): void {
    if (states.includes(this.state)) return;
    const hint = this.state === 'failed' ? `: ${this.reason}` : '';
    throw new Conflict(`the training is ${this.state}${hint}; this needs it to be ${states.join(' or ')}`);
  }

  /** Starts workers. */
  go(): void {
    const { workers, ...settings } = this.settings;
    const { everything, optimizer, globalStep } = this.run;
    this.firstStep = this.step;
    this.feed.begin(this.firstStep, this.examplesSeen);
    this.feed.workersAre(Activity.Starting);
    const data: ReplicaData = { feed: this.feed.memory, firstStep: this.firstStep, ...settings };
    const training = trainInWorkers({
      module: join(__dirname, 'replica.js'),
      workers,
      threads: 1,
      variables: everything,
      optimizer,
      globalStep,
      data,
      onStep: ({ step, loss }) => this.onStep({ step: this.firstStep + step, loss }),
    });
    this.training = training;
    this.become('running');
    training.finished.catch((error: unknown) => {
      this.ended();
      this.become('failed', error instanceof Error ? error.message : String(error));
    });
  }

  /** Ends the workers after the step that they are at, or at once where they wait for examples. */
  async pause(): Promise<void> {
    if (this.state !== 'running') return;
    const finished = this.training!.stop();
    this.feed.stop();
    await finished.catch(() => {}); // it is 'failed' then
    if (!this.isRunning()) return;
    this.ended();
    this.become('paused');
  }

  become(state: State, reason?: string): void {
    this.state = state;
    this.reason = reason;
    this.onChange();
  }

  /** Copies the run as it is after a whole step. */
  copyTo(mirror: Mirror): void {
    mirror.refresh(this.training);
  }

  private isRunning(): boolean {
    return this.state === 'running';
  }

  /** Lays out weights, while no worker does. */
  private show(): void {
    show(this.feed.memory.shown, this.run.variables, this.step);
  }

  private ended(): void {
    this.show();
    this.feed.end(this.step);
    this.feed.workersAre(Activity.Stopped);
  }
}
