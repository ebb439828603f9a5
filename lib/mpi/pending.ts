import type { PendingCall } from 'gradstep/parallel';
import { native } from '../native';

/** Calls that nobody has waited for: their memory stays, whether somebody still knows of them or not. */
const begun = new Set<BegunCall>();

/** A call that the thread of MPI makes. */
export class BegunCall implements PendingCall {
  constructor(
    private readonly call: object,
    /** @throws what a call throws that came to this. */
    private readonly check: (outcome: number) => void,
  ) {
    begun.add(this);
  }

  wait(): void {
    try {
      this.check(native.mpiWait(this.call));
    } finally {
      begun.delete(this);
    }
  }

  async whenMade(): Promise<void> {
    try {
      this.check(await native.mpiWhenMade(this.call));
    } finally {
      begun.delete(this);
    }
  }
}
