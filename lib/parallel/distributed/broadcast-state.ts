import { internals, Variable } from 'gradstep';
import { checkRange, isWhole } from '../../checks';
import { dividedAmong, entriesOfDivided } from '../../checkpoint/divided';
import { checkedParts, type CheckpointParts } from '../../checkpoint/parts';
import { SharedSpace } from '../../checkpoint/shared-space';
import { checkOptions, type NamesOf } from '../../options';
import { sizeOf } from '../../tensor/shape';
import type { StateEntry, Stateful } from '../../tensor/state';
import type { Communicator, RootOptions } from '../communicator';
import { checkCommunicator } from './options';
import { broadcastText, failureOf, gatherTexts } from './texts';
import { saidBy } from '../../checks';

const { planState } = internals;

const names: NamesOf<RootOptions> = { root: true };

/**
 * Gives all ranks the state of one: start values of variables, slots (those too that other ranks do not have yet), the global
 * step, averages, generators of random numbers. All ranks call it, with the same parts.
 *
 * @param parts what has state, by name, as `saveCheckpoint` of gradstep/checkpoint takes it.
 * @param options.root the rank that gives. Default: 0.
 * @throws TypeError, RangeError for wrong arguments; on all ranks what a rank cannot restore or tell, naming that rank on the
 * others; CommunicatorAborted. Nothing has changed then.
 * @example
 * import { broadcastState, SharedMemoryCommunicator } from 'gradstep/parallel';
 *
 * const communicator = SharedMemoryCommunicator.join(SharedMemoryCommunicator.create(1), 0);
 * broadcastState({ variables: [w], optimizer }, communicator);
 */
export function broadcastState(parts: CheckpointParts, communicator: Communicator, options: RootOptions = {}): void {
  checkCommunicator(communicator);
  checkOptions('options', options, names);
  const { root = 0 } = options;
  checkRange('root', root, `a whole number below ${communicator.size}`, (n) => isWhole(n) && n < communicator.size);
  const given = checkedParts(parts);
  const keyed = given.flatMap((part) => part.keyed);
  if (communicator.size === 1) return;
  const isRoot = communicator.rank === root;
  const own = together(communicator, 'cannot tell its state', () => {
    if (entriesOfDivided(dividedAmong(given)).length > 0) {
      throw new Error(
        'the optimizer has shardState: no rank has all slots to give, restoreCheckpoint gives each rank its own',
      );
    }
    return keyed.flatMap((part) => part.state());
  });
  const forms = JSON.parse(broadcastText(communicator, JSON.stringify(own.map(formOf)), root)) as Form[];
  const entries = together(communicator, 'has no room for the state', () => (isRoot ? own : forms.map(roomFor())));
  communicator.broadcast(
    entries.map(({ memory }) => memory),
    { root },
  );
  const commit = together(communicator, 'cannot take over the state', () => (isRoot ? null : planOf(keyed, entries)));
  commit?.();
}

type Form = Omit<StateEntry, 'memory'>;

const formOf = ({ key, dtype, shape }: StateEntry): Form => ({ key, dtype, shape });

/** Entries with memory that slots can adopt. */
function roomFor(): (form: Form) => StateEntry {
  const space = new SharedSpace();
  return (form) => ({ ...form, memory: space.take(form.dtype, sizeOf(form.shape)) });
}

function planOf(parts: readonly Stateful[], entries: readonly StateEntry[]): () => void {
  const variables = parts.filter((part) => part instanceof Variable);
  return planState(parts, entries, { variables, adopt: true });
}

/** What all ranks have done, or none goes on: then each throws its own error, or tells of the first rank that has one. */
function together<T>(communicator: Communicator, failing: string, action: () => T): T {
  let result: { readonly value: T } | null = null;
  let failure: unknown;
  try {
    result = { value: action() };
  } catch (error) {
    failure = error;
  }
  const failures = new Int32Array(communicator.size);
  communicator.allGather(Int32Array.of(result === null ? 1 : 0), failures);
  if (!failures.includes(1)) return result!.value;
  const texts = gatherTexts(communicator, result === null ? saidBy(failure) : '');
  throw result === null ? failure : failureOf(failing, texts);
}
