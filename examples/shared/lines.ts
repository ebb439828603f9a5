/** From one line to the next. */
const milliseconds = 2000;
/** Of the time at most this part is for finding out what to say. */
const part = 0.1;

/**
 * Lines that tell how a training is going: one every two seconds, and fewer where the machine has so much to do that finding
 * out what to say takes long.
 */
export class Lines {
  private readonly began: number;
  /** When the last line was out. */
  private shown: number;
  /** Milliseconds that went by while it was found out what to say, which are none of the training. */
  private apart = 0;
  private pause = milliseconds;

  constructor(
    private readonly steps: number,
    /** What is counted. */
    private readonly what = 'step',
    private readonly now: () => number = () => performance.now(),
    private readonly print: (line: string) => void = console.log,
  ) {
    this.began = this.shown = now();
  }

  /** How long the training has taken, without what was found out for the lines. */
  get seconds(): number {
    return (this.now() - this.began - this.apart) / 1000;
  }

  /**
   * To be called after every step.
   *
   * @param describe what there is to say after so many seconds of training; asked when a line is due, and after the last step.
   */
  update(step: number, describe: (seconds: number) => string): void {
    const due = this.now();
    if (due - this.shown < this.pause && step < this.steps) return;
    this.print(`${this.what} ${step}/${this.steps}  ${describe((due - this.began - this.apart) / 1000)}`);
    this.shown = this.now();
    this.apart += this.shown - due;
    this.pause = Math.max(milliseconds, (this.shown - due) / part);
  }
}
