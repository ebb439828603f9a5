import type { FloatArray } from 'gradstep';
import type { Communicator, OneOrMore, PendingCall, SumOptions, Transferable } from 'gradstep/parallel';

const listOf = <A>(given: OneOrMore<A>): readonly A[] =>
  Array.isArray(given) ? (given as readonly A[]) : [given as A];

/** Rank 0 of so many that all bring what it brings. Calls that are begun are made when somebody waits for them. */
export class Pretend implements Communicator {
  readonly rank = 0;
  /** What has been called, and when it was made. */
  readonly log: string[] = [];
  readonly sums: SumOptions[] = [];
  private pending: (() => void)[] = [];

  constructor(readonly size: number) {}

  allReduce(arrays: OneOrMore<FloatArray>): void {
    this.makeAll();
    for (const array of listOf(arrays)) {
      const one = array.slice();
      for (let rank = 1; rank < this.size; rank++) one.forEach((x, i) => (array[i] = array[i]! + x));
    }
  }

  allGather(arrays: OneOrMore<Transferable>, out: OneOrMore<Transferable>): void {
    this.makeAll();
    listOf(arrays).forEach((array, i) => {
      const to = listOf(out)[i]!;
      for (let rank = 0; rank < this.size; rank++) to.set(array as never, rank * array.length);
    });
  }

  broadcast(): void {
    this.makeAll();
  }

  barrier(): void {
    this.makeAll();
  }

  abort(reason: string): void {
    this.log.push(`abort: ${reason}`);
  }

  reduce(): never {
    throw new Error('nobody calls this');
  }

  gather(): never {
    throw new Error('nobody calls this');
  }

  reduceScatter(): never {
    throw new Error('nobody calls this');
  }

  startReduceScatter(): never {
    throw new Error('nobody calls this');
  }

  startAllReduce(arrays: OneOrMore<FloatArray>, options: SumOptions = {}): PendingCall {
    this.sums.push(options);
    const sizes = listOf(arrays).map(({ length, BYTES_PER_ELEMENT: bytes }) => `${length} of ${bytes}`);
    return this.start(`sum ${sizes.join()}`, () => this.allReduce(arrays));
  }

  startAllGather(arrays: OneOrMore<Transferable>, out: OneOrMore<Transferable>): PendingCall {
    return this.start('gather', () => this.allGather(arrays, out));
  }

  private start(what: string, make: () => void): PendingCall {
    this.log.push(`start ${what}`);
    let isMade = false;
    const wait = (): void => {
      if (isMade) return;
      isMade = true;
      this.log.push(`make ${what}`);
      const later = this.pending;
      this.pending = [];
      make();
      this.pending = later;
    };
    this.pending.push(wait);
    return { wait, whenMade: () => Promise.resolve(wait()) };
  }

  /** Calls are made in their order. */
  private makeAll(): void {
    const { pending } = this;
    this.pending = [];
    for (const wait of pending) wait();
  }
}
