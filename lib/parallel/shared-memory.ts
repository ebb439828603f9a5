import type { FloatArray } from 'gradstep';
import { checkRange, isWhole, shown } from '../checks';
import { native, type NativeExchange } from '../native';
import { sharedListOf } from './arguments';
import { collectiveCalls, type Call } from './collective-calls';
import {
  CommunicatorAborted,
  type Communicator,
  type OneOrMore,
  type PendingCall,
  type RootOptions,
  type SumOptions,
  type Transferable,
} from './communicator';

/** What threads join a communicator by: it can be posted, and given as workerData. */
export interface CommunicatorHandle {
  readonly kind: 'gradstep/communicator';
  readonly size: number;
  /** Where the ranks meet: shared memory. */
  readonly memory: Int32Array;
  /** Why it was aborted: shared memory, a length and UTF-16 code units. */
  readonly reason: Uint16Array;
}

// What native.meetingReason says.
const aborted = 1 << 17;
const threadEnded = 1 << 16;

const mostRanks = 256;
const longestReason = 500;

/**
 * Ranks that are threads of one process, over shared memory: nothing is copied to be sent, and each works on its part of a
 * sum. Whoever waits does so in native code, for a short while on its CPU and then asleep: its event loop stands still.
 *
 * A thread that ends, by `worker.terminate()` say, aborts the communicators that it has joined.
 */
export class SharedMemoryCommunicator implements Communicator {
  /** Its place among the others, which it has as long as this object. */
  private readonly seat: object;
  private native: NativeExchange | null = null;

  private constructor(
    private readonly handle: CommunicatorHandle,
    readonly rank: number,
  ) {
    this.seat = native.joinMeeting(handle.memory, rank);
  }

  /**
   * A communicator for so many threads, which none has joined yet.
   * @throws TypeError, RangeError unless size is a whole number from 1 to 256.
   */
  static create(size: number): CommunicatorHandle {
    checkRange('size', size, `a whole number from 1 to ${mostRanks}`, (n) => isWhole(n) && n >= 1 && n <= mostRanks);
    const memory = new Int32Array(new SharedArrayBuffer(native.meetingBytes(size)));
    native.makeMeeting(memory, size);
    const reason = new Uint16Array(new SharedArrayBuffer(2 * (longestReason + 1)));
    return { kind: 'gradstep/communicator', size, memory, reason };
  }

  /**
   * Joins as one of the ranks, each of which is one thread.
   * @throws TypeError for what `create` did not give, RangeError for another rank.
   */
  static join(handle: CommunicatorHandle, rank: number): SharedMemoryCommunicator {
    checkCommunicatorHandle(handle);
    checkRange('rank', rank, `a whole number below ${handle.size}`, (n) => isWhole(n) && n < handle.size);
    return new SharedMemoryCommunicator(handle, rank);
  }

  /**
   * Aborts it from outside: by a thread that has not joined it.
   * @throws TypeError for what `create` did not give or a reason that is no string.
   */
  static abort(handle: CommunicatorHandle, reason: string): void {
    checkCommunicatorHandle(handle);
    if (typeof reason !== 'string') throw new TypeError(`reason must be a string, got ${shown(reason)}`);
    const { memory, reason: text } = handle;
    // The first reason stands. Whoever finds none yet may write one too: then one of the two is read.
    if (native.meetingReason(memory) === 0) {
      const units = Uint16Array.from(reason.slice(0, longestReason), (character) => character.charCodeAt(0));
      text.set(units, 1);
      Atomics.store(text, 0, units.length);
    }
    native.breakMeeting(memory, aborted);
  }

  get size(): number {
    return this.handle.size;
  }

  /** @internal Whether it has been aborted. */
  get isAborted(): boolean {
    return native.meetingReason(this.handle.memory) !== 0;
  }

  allReduce(arrays: OneOrMore<FloatArray>, options: SumOptions = {}): void {
    this.meet(collectiveCalls.allReduce(arrays, options, true));
  }

  reduce(
    terms: readonly (readonly (FloatArray | undefined)[])[],
    out: readonly FloatArray[],
    options: SumOptions & RootOptions = {},
  ): void {
    this.meet(collectiveCalls.reduce(terms, out, options, this, true));
  }

  reduceScatter(arrays: OneOrMore<FloatArray>, out: OneOrMore<FloatArray>, options: SumOptions = {}): void {
    this.meet(collectiveCalls.reduceScatter(arrays, out, options, true));
  }

  allGather(arrays: OneOrMore<Transferable>, out: OneOrMore<Transferable>): void {
    this.meet(collectiveCalls.allGather(arrays, out));
  }

  gather(arrays: OneOrMore<Transferable>, out: OneOrMore<Transferable>, options: RootOptions = {}): void {
    this.meet(collectiveCalls.gather(arrays, out, options, this));
  }

  broadcast(arrays: OneOrMore<Transferable>, options: RootOptions = {}): void {
    this.meet(collectiveCalls.broadcast(arrays, options, this));
  }

  /** @internal Of programs that run in this thread, or for it. */
  ranksOfPrograms(): ReturnType<NonNullable<Communicator['ranksOfPrograms']>> {
    const { handle, rank, size } = this;
    this.native ??= native.meetingExchange(handle.memory, rank);
    const failure = (reason: string): Error => {
      const why = native.meetingReason(handle.memory);
      return why === 0 ? new RangeError(reason) : abortedBy(handle, why);
    };
    return { handle: this.native, size, here: size, failure };
  }

  /** Made at once: the ranks meet here. */
  startAllReduce(arrays: OneOrMore<FloatArray>, options: SumOptions = {}): PendingCall {
    sharedListOf('arrays', arrays);
    this.allReduce(arrays, options);
    return made;
  }

  /** Made at once. */
  startReduceScatter(arrays: OneOrMore<FloatArray>, out: OneOrMore<FloatArray>, options: SumOptions = {}): PendingCall {
    sharedListOf('arrays', arrays);
    sharedListOf('out', out);
    this.reduceScatter(arrays, out, options);
    return made;
  }

  /** Made at once. */
  startAllGather(arrays: OneOrMore<Transferable>, out: OneOrMore<Transferable>): PendingCall {
    sharedListOf('arrays', arrays);
    sharedListOf('out', out);
    this.allGather(arrays, out);
    return made;
  }

  barrier(): void {
    this.meet(collectiveCalls.barrier());
  }

  abort(reason: string): void {
    SharedMemoryCommunicator.abort(this.handle, reason);
  }

  /** The order of sums is always the same here. */
  private meet({ what, root, sum, terms, arrays, out }: Call): void {
    void this.seat;
    const { memory } = this.handle;
    const outcome = native.meet(memory, this.rank, what, root, sum.isMean, terms.length, arrays, terms.flat(), out);
    if (outcome !== 0) throw abortedBy(this.handle, native.meetingReason(memory));
  }
}

/** A call that has been made. */
const made: PendingCall = Object.freeze({ wait: () => {}, whenMade: () => Promise.resolve() });

function abortedBy({ reason: text }: CommunicatorHandle, reason: number): CommunicatorAborted {
  if ((reason & threadEnded) !== 0) {
    const rank = (reason & (threadEnded - 1)) - 1;
    return new CommunicatorAborted(`the thread of rank ${rank} has ended`, rank);
  }
  const units = text.slice(1, 1 + Math.min(Atomics.load(text, 0), longestReason));
  return new CommunicatorAborted(String.fromCharCode(...units) || 'no reason was given', null);
}

/** @throws TypeError for what is no handle of a communicator. */
export function checkCommunicatorHandle(handle: unknown): asserts handle is CommunicatorHandle {
  const { kind, memory, reason } = (handle ?? {}) as Partial<CommunicatorHandle>;
  if (kind === 'gradstep/communicator' && memory instanceof Int32Array && reason instanceof Uint16Array) return;
  throw new TypeError(`handle must be one that SharedMemoryCommunicator.create gave, got ${shown(handle)}`);
}
