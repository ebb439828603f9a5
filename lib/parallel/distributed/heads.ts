import { internals } from 'gradstep';
import type { Communicator, PendingCall } from '../communicator';
import type { VariableList } from './variable-list';

const { sharedMemory } = internals;

// Where each rank has what, in 32 bits each.
const enum Head {
  /** 1 where the loss has thrown. */
  HasFailed,
  ListA,
  ListB,
  PlanVersion,
  /** 1 where states are to be compared. */
  ChecksState,
  Length,
}

/** What each rank tells all before gradients are exchanged, so that they see whether they do the same thing. */
export class Heads {
  private readonly own = new Int32Array(sharedMemory(4 * Head.Length));
  private readonly all: Int32Array;

  constructor(private readonly communicator: Communicator) {
    this.all = new Int32Array(sharedMemory(4 * Head.Length * communicator.size));
  }

  /** @param list null where the loss has thrown before it was known. */
  start(hasFailed: boolean, list: VariableList | null, checksState: boolean): PendingCall {
    const { own, communicator } = this;
    own.fill(0);
    own[Head.HasFailed] = Number(hasFailed);
    own[Head.ChecksState] = Number(checksState);
    if (list !== null) {
      [own[Head.ListA], own[Head.ListB]] = list.hash;
      own[Head.PlanVersion] = list.version;
    }
    return communicator.startAllGather(own, this.all);
  }

  // Of what has come of the last call:

  get hasFailure(): boolean {
    return this.of(Head.HasFailed).includes(1);
  }

  get checksState(): boolean {
    return this.of(Head.ChecksState).includes(1);
  }

  get haveOneList(): boolean {
    return this.areAlike(Head.ListA) && this.areAlike(Head.ListB);
  }

  get haveOnePlan(): boolean {
    return this.areAlike(Head.PlanVersion);
  }

  private of(what: Head): number[] {
    return Array.from({ length: this.communicator.size }, (_, rank) => this.all[rank * Head.Length + what]!);
  }

  private areAlike(what: Head): boolean {
    return new Set(this.of(what)).size === 1;
  }
}
