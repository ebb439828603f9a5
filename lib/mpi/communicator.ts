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
import { sharedListOf } from '../parallel/arguments';
import { collectiveCalls, type Call } from '../parallel/collective-calls';
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
    this.make(collectiveCalls.allReduce(arrays, options, this.deterministic));
  }

  reduce(
    terms: readonly (readonly (FloatArray | undefined)[])[],
    out: readonly FloatArray[],
    options: SumOptions & RootOptions = {},
  ): void {
    this.make(collectiveCalls.reduce(terms, out, options, this, this.deterministic));
  }

  reduceScatter(arrays: OneOrMore<FloatArray>, out: OneOrMore<FloatArray>, options: SumOptions = {}): void {
    this.make(collectiveCalls.reduceScatter(arrays, out, options, this.deterministic));
  }

  allGather(arrays: OneOrMore<Transferable>, out: OneOrMore<Transferable>): void {
    this.make(collectiveCalls.allGather(arrays, out));
  }

  gather(arrays: OneOrMore<Transferable>, out: OneOrMore<Transferable>, options: RootOptions = {}): void {
    this.make(collectiveCalls.gather(arrays, out, options, this));
  }

  broadcast(arrays: OneOrMore<Transferable>, options: RootOptions = {}): void {
    this.make(collectiveCalls.broadcast(arrays, options, this));
  }

  barrier(): void {
    this.make(collectiveCalls.barrier());
  }

  startAllReduce(arrays: OneOrMore<FloatArray>, options: SumOptions = {}): PendingCall {
    return this.begin(collectiveCalls.allReduce(sharedListOf('arrays', arrays), options, this.deterministic));
  }

  startReduceScatter(arrays: OneOrMore<FloatArray>, out: OneOrMore<FloatArray>, options: SumOptions = {}): PendingCall {
    const shared = [sharedListOf('arrays', arrays), sharedListOf('out', out)] as const;
    return this.begin(collectiveCalls.reduceScatter(...shared, options, this.deterministic));
  }

  startAllGather(arrays: OneOrMore<Transferable>, out: OneOrMore<Transferable>): PendingCall {
    return this.begin(collectiveCalls.allGather(sharedListOf('arrays', arrays), sharedListOf('out', out)));
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

  private make({ what, root, sum, terms, arrays, out }: Call): void {
    const { isMean, inOrder } = sum;
    checkOutcome(native.mpiCall(what, root, isMean, inOrder, terms.length, arrays, terms.flat(), out));
  }

  /** Of a call whose arrays are all there. */
  private begin({ what, root, sum, terms, arrays, out }: Call): PendingCall {
    const { isMean, inOrder } = sum;
    const given = terms.flat() as readonly Transferable[];
    const call = native.mpiBegin(what, root, isMean, inOrder, terms.length, arrays, given, out, [given, out]);
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
