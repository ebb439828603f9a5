import { checkedParts, type CheckpointParts } from '../../checkpoint/parts';
import type { StateEntry } from '../../tensor/state';
import type { Communicator } from '../communicator';
import { differentStates } from './differences';
import { undividedState } from './undivided';
import { digestOf, pieceOf, type Piece } from './digest';
import { checkCommunicator } from './options';
import { failureOf, gatherTexts } from './texts';
import { saidBy } from '../../checks';

/**
 * Compares the state of all ranks, by checksums. All ranks call it, with the same parts.
 *
 * @param parts what has state, by name, as `saveCheckpoint` of gradstep/checkpoint takes it.
 * @throws TypeError, RangeError for wrong arguments; Error, on all ranks, that names a rank whose state is another than that of
 * most, and the keys; CommunicatorAborted.
 * @example
 * import { checkSameState, SharedMemoryCommunicator } from 'gradstep/parallel';
 *
 * const communicator = SharedMemoryCommunicator.join(SharedMemoryCommunicator.create(1), 0);
 * checkSameState({ variables: [w], optimizer }, communicator);
 */
export function checkSameState(parts: CheckpointParts, communicator: Communicator): void {
  checkCommunicator(communicator);
  const given = checkedParts(parts);
  compareStates(communicator, () => given.flatMap(undividedState));
}

// What each rank tells: whether it has failed, and its checksum.
const words = 9;

/** The same for what `collect` gives. */
export function compareStates(communicator: Communicator, collect: () => StateEntry[]): void {
  const told = new Int32Array(words);
  let pieces: readonly Piece[] = [];
  let failure: { readonly error: unknown } | null = null;
  try {
    pieces = collect().map(pieceOf);
    told.set(digestOf(pieces), 1);
  } catch (error) {
    failure = { error };
    told[0] = 1;
  }
  const all = new Int32Array(words * communicator.size);
  communicator.allGather(told, all);
  const ofRanks = Array.from({ length: communicator.size }, (_, rank) =>
    all.subarray(rank * words, (rank + 1) * words),
  );
  if (ofRanks.some(([hasFailed]) => hasFailed === 1)) {
    const texts = gatherTexts(communicator, failure === null ? '' : saidBy(failure.error));
    throw failure === null ? failureOf('cannot tell its state', texts) : failure.error;
  }
  const sums = ofRanks.map((one) => one.join());
  if (new Set(sums).size === 1) return;
  const texts = gatherTexts(communicator, JSON.stringify(pieces));
  throw differentStates(
    sums,
    texts.map((text) => JSON.parse(text) as Piece[]),
  );
}
