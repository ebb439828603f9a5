import { Failure } from './failure';

/** The loss and the gradients' norm before clipping, of every step so far. */
export class History {
  readonly losses: Float64Array;
  readonly norms: Float64Array;
  /** Steps taken. */
  step = 0;
  /** Steps whose gradients were clipped. */
  clipped = 0;
  /** Milliseconds from the first step's beginning to the last one's end. */
  elapsed = 0;
  private readonly began = performance.now();

  constructor(
    readonly steps: number,
    readonly clipNorm: number,
  ) {
    this.losses = new Float64Array(steps);
    this.norms = new Float64Array(steps);
  }

  /** @throws Failure when there is nothing left to train. */
  add(loss: number, norm: number): void {
    this.losses[this.step] = loss;
    this.norms[this.step] = norm;
    this.step++;
    if (norm > this.clipNorm) this.clipped++;
    this.elapsed = performance.now() - this.began;
    if (!Number.isFinite(loss) || !Number.isFinite(norm)) {
      throw new Failure(
        `step ${this.step} has loss ${loss} and gradient norm ${norm}: take a smaller --learning-rate or --clip-norm`,
      );
    }
  }
}
