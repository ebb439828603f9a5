import { Word } from './feed';
import { barsOf } from './histograms';
import type { Service } from './service';

/** Milliseconds from one event of a kind to the next. */
const every = { progress: 250, status: 1000, histograms: 2000, accuracy: 5000 };

/** Tells everybody who listens what happens, and does what is to be done now and then. */
export class Broadcast {
  private readonly timers: NodeJS.Timeout[] = [];
  private saved = { step: -1, end: -1 };

  constructor(private readonly service: Service) {}

  begin(): void {
    const { settings } = this.service;
    this.repeat(every.progress, () => this.progress());
    this.repeat(every.status, () => this.measure());
    this.repeat(every.histograms, () => this.histograms());
    this.repeat(every.accuracy, () => this.accuracy());
    this.repeat(1000 * settings.checkpointEvery, () => this.checkpoint());
  }

  end(): void {
    for (const timer of this.timers) clearInterval(timer);
  }

  status(): void {
    const { events } = this.service;
    if (events.isHeard) events.send('status', this.service.status);
  }

  private repeat(milliseconds: number, work: () => void | Promise<void>): void {
    const report = (error: unknown): void => console.error(error);
    const run = async (): Promise<void> => work();
    this.timers.push(setInterval(() => void run().catch(report), milliseconds));
  }

  private measure(): void {
    const { rates, delay } = this.service;
    rates.measure();
    delay.measure();
    this.status();
  }

  private progress(): void {
    const { progress, history, events } = this.service;
    const point = progress.take();
    if (point === null) return;
    history.add(point);
    events.send('progress', { points: [point] });
  }

  /** Sends those that workers have laid out since the last time, and asks for others. */
  histograms(): void {
    const { events, feed, run, weights } = this.service;
    if (!events.isHeard) return;
    const { words, gradients } = feed.memory;
    if (Atomics.load(words, Word.Gradients) === 2) {
      weights.refresh();
      const { variables, step } = weights;
      events.send('histograms', {
        step,
        weights: variables.map((variable) => barsOf(variable, variable.data)),
        gradients: run.variables.map((variable, i) => barsOf(variable, gradients[i]!)),
      });
    }
    Atomics.store(words, Word.Gradients, 1);
  }

  /** Evaluates the model, if it is another one than the last time. */
  async accuracy(): Promise<void> {
    const { evaluator, history, events } = this.service;
    const accuracy = await evaluator.evaluate();
    if (accuracy === null) return;
    history.addAccuracy(accuracy);
    events.send('accuracy', accuracy);
  }

  /** Saves what has changed since the last time. */
  private async checkpoint(): Promise<void> {
    const { trainer, queue, checkpoints } = this.service;
    const now = { step: trainer.step, end: queue.end };
    const isSame = now.step === this.saved.step && now.end === this.saved.end;
    if (isSame || checkpoints.saving || trainer.state === 'failed') return;
    await checkpoints.save();
    this.saved = now;
  }
}
