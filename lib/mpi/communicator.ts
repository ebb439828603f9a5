import type { FloatArray } from 'gradstep';
import {
  CommunicatorAborted,
  type Communicator,
  type OneOrMore,
  type PendingCall,
  type RootOptions,
  type SumOptions,
  type Transferable,
} from 'gradstep/parallel';
import { shown } from '../checks';
import { native, type MpiWorld } from '../native';
import { checkOptions } from '../options';
import {
  listOf,
  rootNames,
  rootOf,
  sharedListOf,
  sumNames,
  sumOf,
  termsOf,
  What,
  type Maybe,
  type Sum,
} from '../parallel/arguments';
import { libraryOf, type MpiLibrary } from './library';
import { BegunCall } from './pending';

/** What other threads of this process join its communicator by: it can be posted, and given as workerData. */
export interface MpiHandle {
  readonly kind: 'gradstep/mpi';
  readonly rank: number;
  readonly size: number;
  /** false: sums are made in MPI's order unless a call says otherwise. */
  readonly deterministic: boolean;
}

const noSum: Sum = { isMean: false, inOrder: true };

/**
 * Ranks that are processes, on one machine or on many, by MPI: `mpi.init` makes the one that a process has. One thread of the
 * process makes all calls of MPI's, so that any thread can use it: the others `join` it. Their calls are made one after
 * another, in the order in which they come; which comes first of two threads is theirs to settle, the same on all ranks.
 *
 * What differs from memory that is shared: arrays are sent, so that what ranks bring may lie anywhere. A rank whose process
 * ends without an error while others still call, ends their calls with CommunicatorAborted; one that fails ends the job.
 */
export class MpiCommunicator implements Communicator {
  /** Which process this is: from 0. */
  readonly rank: number;
  /** How many processes there are. */
  readonly size: number;
  /** Which one this is of those on its host: from 0. */
  readonly localRank: number;
  /** How many are on its host. */
  readonly localSize: number;
  /** The host of each rank, as MPI calls it. */
  readonly hostnames: readonly string[];
  /** The MPI library; null where the process was not started by an mpirun and needs none. */
  readonly library: MpiLibrary | null;

  /** @internal */
  constructor(
    world: MpiWorld,
    private readonly deterministic: boolean,
  ) {
    this.rank = world.rank;
    this.size = world.size;
    this.hostnames = Object.freeze(world.hosts);
    const isHere = (rank: number) => this.hostnames[rank] === this.hostname;
    const here = this.hostnames.map((_, rank) => rank).filter(isHere);
    this.localRank = here.indexOf(this.rank);
    this.localSize = here.length;
    this.library = libraryOf(world);
  }

  /**
   * The communicator of this process in another of its threads.
   * @throws TypeError for what `share` did not give; Error when this process has none.
   */
  static join(handle: MpiHandle): MpiCommunicator {
    const { kind, rank, size, deterministic } = (handle ?? {}) as Partial<MpiHandle>;
    if (kind !== 'gradstep/mpi' || typeof deterministic !== 'boolean') {
      throw new TypeError(`handle must be one that MpiCommunicator's share gave, got ${shown(handle)}`);
    }
    const world = native.mpiWorld();
    if (world === undefined) throw new Error('this process has no MPI: mpi.init() comes first, in its main thread');
    if (world.rank !== rank || world.size !== size) {
      throw new Error(`the handle is of rank ${rank} of ${size}, and this is rank ${world.rank} of ${world.size}`);
    }
    return new MpiCommunicator(world, deterministic);
  }

  /** The host of this rank, as MPI calls it. */
  get hostname(): string {
    return this.hostnames[this.rank]!;
  }

  /** What other threads of this process join it by. */
  share(): MpiHandle {
    return { kind: 'gradstep/mpi', rank: this.rank, size: this.size, deterministic: this.deterministic };
  }

  allReduce(arrays: OneOrMore<FloatArray>, options: SumOptions = {}): void {
    this.call(What.AllReduce, 0, this.sum(options), [listOf('arrays', arrays)], []);
  }

  reduce(
    terms: readonly (readonly (FloatArray | undefined)[])[],
    out: readonly FloatArray[],
    options: SumOptions & RootOptions = {},
  ): void {
    checkOptions('options', options, { ...sumNames, ...rootNames });
    const { root, ...sum } = options;
    const at = rootOf({ ...(root !== undefined && { root }) }, this.size);
    const lists = termsOf(terms);
    const results = listOf('out', out);
    this.call(
      What.Reduce,
      at,
      this.sum(sum),
      lists,
      this.rank === at ? results : [],
      lists[0]?.length ?? results.length,
    );
  }

  reduceScatter(arrays: OneOrMore<FloatArray>, out: OneOrMore<FloatArray>, options: SumOptions = {}): void {
    this.call(What.ReduceScatter, 0, this.sum(options), [listOf('arrays', arrays)], listOf('out', out));
  }

  allGather(arrays: OneOrMore<Transferable>, out: OneOrMore<Transferable>): void {
    this.call(What.AllGather, 0, noSum, [listOf('arrays', arrays)], listOf('out', out));
  }

  gather(arrays: OneOrMore<Transferable>, out: OneOrMore<Transferable>, options: RootOptions = {}): void {
    const root = rootOf(options, this.size);
    this.call(What.Gather, root, noSum, [listOf('arrays', arrays)], this.rank === root ? listOf('out', out) : []);
  }

  broadcast(arrays: OneOrMore<Transferable>, options: RootOptions = {}): void {
    this.call(What.Broadcast, rootOf(options, this.size), noSum, [listOf('arrays', arrays)], []);
  }

  barrier(): void {
    this.call(What.Barrier, 0, noSum, [], [], 0);
  }

  startAllReduce(arrays: OneOrMore<FloatArray>, options: SumOptions = {}): PendingCall {
    return this.begin(What.AllReduce, this.sum(options), sharedListOf('arrays', arrays), []);
  }

  startReduceScatter(arrays: OneOrMore<FloatArray>, out: OneOrMore<FloatArray>, options: SumOptions = {}): PendingCall {
    return this.begin(What.ReduceScatter, this.sum(options), sharedListOf('arrays', arrays), sharedListOf('out', out));
  }

  startAllGather(arrays: OneOrMore<Transferable>, out: OneOrMore<Transferable>): PendingCall {
    return this.begin(What.AllGather, noSum, sharedListOf('arrays', arrays), sharedListOf('out', out));
  }

  /** @internal Of programs that run in this thread, or for it. */
  ranksOfPrograms({ deterministic = this.deterministic }: { readonly deterministic?: boolean }) {
    const failure = (problem: string): Error => {
      const [reason, rank] = native.mpiReason();
      return reason === '' ? new RangeError(problem) : new CommunicatorAborted(reason, rank < 0 ? null : rank);
    };
    return { handle: native.mpiExchange(deterministic), size: this.size, here: 1, failure };
  }

  abort(reason: string): void {
    if (typeof reason !== 'string') throw new TypeError(`reason must be a string, got ${shown(reason)}`);
    native.mpiAbort(reason);
  }

  /**
   * Ends MPI in this process once all ranks have come to their ends; calls throw from here on. A process that ends does this by
   * itself. @returns a promise: other ranks may still be at work.
   */
  async finalize(): Promise<void> {
    isFinalized = true;
    await native.mpiFinalize(this);
  }

  private sum(options: SumOptions): Sum {
    return sumOf(options, this.deterministic);
  }

  private call(
    what: What,
    root: number,
    { isMean, inOrder }: Sum,
    terms: readonly (readonly Maybe[])[],
    out: readonly Transferable[],
    arrays = terms[0]!.length,
  ): void {
    if (terms.some((term) => term.length !== arrays)) {
      throw new RangeError(`every term must have ${arrays} arrays, as there are results`);
    }
    checkOutcome(native.mpiCall(what, root, isMean, inOrder, terms.length, arrays, terms.flat(), out));
  }

  private begin(
    what: What,
    { isMean, inOrder }: Sum,
    arrays: readonly Transferable[],
    out: readonly Transferable[],
  ): PendingCall {
    const kept = [arrays, out];
    const call = native.mpiBegin(what, 0, isMean, inOrder, 1, arrays.length, arrays, out, kept);
    return new BegunCall(call, checkOutcome);
  }
}

/** Whether `finalize` was called in this thread. */
let isFinalized = false;

function checkOutcome(outcome: number): void {
  if (outcome === 0) return;
  if (isFinalized) throw new Error('the communicator is finalized: it makes no more calls');
  const [reason, rank] = native.mpiReason();
  throw new CommunicatorAborted(reason, rank < 0 ? null : rank);
}
