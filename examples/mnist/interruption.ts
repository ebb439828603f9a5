/**
 * Ctrl-C, where the training leaves the event loop a chance to hear of it: the first one ends the training after the step
 * that is under way, a second one the process.
 */
export class Interruption {
  /** Whether somebody wants the training to end. */
  isWanted = false;
  private readonly want = (): void => void (this.isWanted = true);

  constructor(private readonly isHeard: boolean) {
    if (isHeard) process.once('SIGINT', this.want);
  }

  [Symbol.dispose](): void {
    if (this.isHeard) process.off('SIGINT', this.want);
  }
}
