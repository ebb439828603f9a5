import type { Communicator } from 'gradstep/parallel';

/** SIGTERM and SIGINT, to any of the ranks: all stop after the same step. */
export class StopSignal {
  private isWanted = false;
  private readonly hear = (): void => void (this.isWanted = true);

  constructor(private readonly communicator: Communicator) {
    process.on('SIGTERM', this.hear).on('SIGINT', this.hear);
  }

  /** To be asked by all ranks after each step. */
  isWantedByAny(): boolean {
    const wanted = Float32Array.of(this.isWanted ? 1 : 0);
    this.communicator.allReduce(wanted);
    return wanted[0]! > 0;
  }

  [Symbol.dispose](): void {
    process.off('SIGTERM', this.hear).off('SIGINT', this.hear);
  }
}
