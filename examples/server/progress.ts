import type { StepReport } from 'gradstep/parallel';
import { Told, type Feed } from './feed';
import type { Point } from './history';

/** Makes a point of the steps since the last one. */
export class Progress {
  private steps = 0;
  private last = 0;
  private loss = 0;
  private norm = 0;
  private since = { time: performance.now(), examples: 0 };

  constructor(
    private readonly feed: Feed,
    private readonly clipNorm: number,
  ) {}

  /** A step has been made. */
  add({ step, loss }: StepReport): void {
    this.steps++;
    this.last = step + 1;
    this.loss += loss;
    this.norm += this.feed.toldAfter(step + 1, Told.Norm);
  }

  /** A training begins: time counts from now on. */
  begin(examplesSeen: number): void {
    this.steps = this.loss = this.norm = 0;
    this.since = { time: performance.now(), examples: examplesSeen };
  }

  /** @returns null where there was no step. */
  take(): Point | null {
    const { steps, last, loss, norm, since, feed, clipNorm } = this;
    if (steps === 0) return null;
    const now = performance.now();
    const examples = feed.toldAfter(last, Told.Seen);
    const rate = (1000 * (examples - since.examples)) / Math.max(1, now - since.time);
    this.begin(examples);
    return {
      step: last,
      loss: loss / steps,
      gradientNorm: norm / steps,
      clipNorm,
      learningRate: feed.toldAfter(last, Told.LearningRate),
      examplesPerSecond: rate,
      time: Date.now(),
    };
  }
}
