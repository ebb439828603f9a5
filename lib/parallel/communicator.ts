import type { FloatArray } from 'gradstep';
import type { NativeExchange } from '../native';

/** Arrays that ranks copy to each other. */
export type Transferable = FloatArray | Int32Array | BigInt64Array;

/** One array, or several that go together: the ranks wait for each other once. */
export type OneOrMore<A> = A | readonly A[];

export interface SumOptions {
  /** `'MEAN'` divides by the number of terms: multiplies by its inverse. Default: `'SUM'`. */
  reductionType?: 'SUM' | 'MEAN';
  /** false: the sum may be made in any order, where the communicator has a faster way. Default: the order of ranks. */
  deterministic?: boolean;
}

export interface RootOptions {
  /** The rank that gives, or gets. Default: 0. */
  root?: number;
}

/** A call that others go on with while this thread does other things. Until it has been made its arrays are nobody's. */
export interface PendingCall {
  /**
   * Blocks until it has been made; does nothing when it has.
   * @throws what the call throws.
   */
  wait(): void;
  /** The same, off the event loop: a promise that is fulfilled when it has been made, and rejected with what `wait` throws. */
  whenMade(): Promise<void>;
}

/**
 * What ranks, threads or processes that do one thing together, tell each other by. Every method is called by all ranks,
 * in the same order; a call returns when all ranks have made it, and blocks its thread until then.
 *
 * Sums are made in the order of ranks: they have the same bits in every run, whoever comes first.
 *
 * A call is made by all ranks or by none. When one is aborted, by `abort` or because a rank is gone, all ranks' calls that
 * have not been made throw CommunicatorAborted, and nothing has changed; all later calls do so too.
 */
export interface Communicator {
  /** Which one this is: from 0. */
  readonly rank: number;
  /** How many there are. */
  readonly size: number;
  /**
   * Puts the sum over all ranks in the place of their arrays, which have one length and dtype and no memory in common.
   * @throws TypeError for other arrays; RangeError, on all ranks, for arrays that do not fit; CommunicatorAborted.
   */
  allReduce(arrays: OneOrMore<FloatArray>, options?: SumOptions): void;
  /**
   * The same sum of terms, of which each rank may bring any number, for the root alone: over ranks in their order, and over
   * each one's terms in theirs.
   *
   * @param terms each a list of arrays; one that is missing (undefined) counts for nothing.
   * @param out on the root: an array for each in a term, which becomes their sum, or stays where no rank has one.
   * @throws what `allReduce` throws.
   */
  reduce(
    terms: readonly (readonly (FloatArray | undefined)[])[],
    out: readonly FloatArray[],
    options?: SumOptions & RootOptions,
  ): void;
  /**
   * The part of this rank of the sum over all ranks. Parts are as even as can be, the longer ones first: `partOf` says which.
   * @param out as long as this rank's part.
   * @throws what `allReduce` throws.
   */
  reduceScatter(arrays: OneOrMore<FloatArray>, out: OneOrMore<FloatArray>, options?: SumOptions): void;
  /**
   * All ranks' arrays, one after the other in the order of ranks. They may have different lengths.
   * @param out as long as all of them together.
   * @throws what `allReduce` throws.
   */
  allGather(arrays: OneOrMore<Transferable>, out: OneOrMore<Transferable>): void;
  /**
   * The same for the root alone; `out` is looked at there only.
   * @throws what `allReduce` throws.
   */
  gather(arrays: OneOrMore<Transferable>, out: OneOrMore<Transferable>, options?: RootOptions): void;
  /**
   * Puts the root's values into the arrays of all.
   * @throws what `allReduce` throws.
   */
  broadcast(arrays: OneOrMore<Transferable>, options?: RootOptions): void;
  /**
   * Begins `allReduce`, and returns without waiting for others, where the communicator can: it is made at the latest by `wait`.
   * Calls that were begun and others are all made in the order in which they were called, the same on all ranks. What
   * `allReduce` throws comes from `wait`, or from here where it is known already.
   *
   * @param arrays over SharedArrayBuffers of one size, which nobody can detach. Nobody reads or writes them until it is made.
   * @throws TypeError for others.
   */
  startAllReduce(arrays: OneOrMore<FloatArray>, options?: SumOptions): PendingCall;
  /**
   * Begins `reduceScatter`, as `startAllReduce` does its sum.
   * @param out over SharedArrayBuffers too.
   * @throws what startAllReduce throws.
   */
  startReduceScatter(arrays: OneOrMore<FloatArray>, out: OneOrMore<FloatArray>, options?: SumOptions): PendingCall;
  /**
   * Begins `allGather`, as `startAllReduce` does its sum.
   * @param out over SharedArrayBuffers too.
   * @throws what startAllReduce throws.
   */
  startAllGather(arrays: OneOrMore<Transferable>, out: OneOrMore<Transferable>): PendingCall;
  /**
   * Waits until all are here.
   * @throws CommunicatorAborted.
   */
  barrier(): void;
  /** @internal What compiled steps exchange gradients by; not of a communicator that native code does not know. */
  ranksOfPrograms?(options: { readonly deterministic?: boolean }): {
    readonly handle: NativeExchange;
    readonly size: number;
    readonly here: number;
    failure(reason: string): Error;
  };
  /** Ends all ranks' calls, those that they are in and those to come, with CommunicatorAborted. */
  abort(reason: string): void;
}

/** A call that was not made, as the ranks do not meet any more. */
export class CommunicatorAborted extends Error {
  override readonly name = 'CommunicatorAborted';

  /** @internal */
  constructor(
    /** What `abort` was told, or which rank's thread has ended. */
    readonly reason: string,
    /** The rank that has ended; null when it was `abort`. */
    readonly endedRank: number | null,
  ) {
    super(`the communicator was aborted: ${reason}`);
  }
}

/**
 * Where the part of a rank starts and ends in so many elements, as `reduceScatter` has it.
 * @example
 * import { partOf } from 'gradstep/parallel';
 *
 * const [start, end] = partOf(10, 0, 3); // 0 and 4
 */
export function partOf(length: number, rank: number, size: number): readonly [start: number, end: number] {
  const each = Math.floor(length / size);
  const startOf = (n: number) => n * each + Math.min(n, length % size);
  return [startOf(rank), startOf(rank + 1)];
}
