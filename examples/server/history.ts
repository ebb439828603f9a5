import type { Accuracy } from './evaluator';

/** How the training went for some steps that follow each other: means, but for the last step and the time. */
export interface Point {
  readonly step: number;
  readonly loss: number;
  readonly gradientNorm: number;
  readonly clipNorm: number;
  readonly learningRate: number;
  readonly examplesPerSecond: number;
  /** Milliseconds since 1970. */
  readonly time: number;
}

const most = 2000;
const mostAccuracies = 1000;

/** The course of the training, thinned where it has become long: then one point in the place of two. */
export class History {
  private kept: Point[] = [];
  /** How many points become one. */
  private stride = 1;
  private waiting: Point[] = [];
  private evaluated: Accuracy[] = [];

  get points(): readonly Point[] {
    return [...this.kept, ...this.waiting];
  }

  get accuracies(): readonly Accuracy[] {
    return this.evaluated;
  }

  addAccuracy(accuracy: Accuracy): void {
    this.evaluated.push(accuracy);
    if (this.evaluated.length > mostAccuracies) this.evaluated = this.evaluated.filter((_, i) => i % 2 === 0);
  }

  add(point: Point): void {
    this.waiting.push(point);
    if (this.waiting.length < this.stride) return;
    this.kept.push(meanOf(this.waiting));
    this.waiting = [];
    if (this.kept.length < most) return;
    this.kept = Array.from({ length: most / 2 }, (_, i) => meanOf(this.kept.slice(2 * i, 2 * i + 2)));
    this.stride *= 2;
  }

  /** Drops what is later than a step that the run went back to. */
  cut(step: number): void {
    this.kept = this.kept.filter((point) => point.step <= step);
    this.waiting = this.waiting.filter((point) => point.step <= step);
    this.evaluated = this.evaluated.filter((accuracy) => accuracy.step <= step);
  }
}

function meanOf(points: readonly Point[]): Point {
  const mean = (value: (point: Point) => number): number =>
    points.reduce((sum, point) => sum + value(point), 0) / points.length;
  return {
    ...points.at(-1)!,
    loss: mean(({ loss }) => loss),
    gradientNorm: mean(({ gradientNorm }) => gradientNorm),
    learningRate: mean(({ learningRate }) => learningRate),
    examplesPerSecond: mean(({ examplesPerSecond }) => examplesPerSecond),
  };
}
