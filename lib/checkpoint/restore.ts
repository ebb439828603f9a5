import { resolve } from 'node:path';
import { holdState, internals, restoreState, Variable } from 'gradstep';
import { checkBoolean, checkFunction, checkRange, isWhole } from '../checks';
import { checkOptions, type NamesOf } from '../options';
import type { Stateful } from '../tensor/state';
import { dividedAmong } from './divided';
import type { CheckpointError } from './error';
import { find } from './find';
import type { JsonValue } from './json';
import type { CheckpointPlace } from './latest';
import type { CheckpointObject } from './manifest';
import { checkedParts, type CheckpointParts } from './parts';
import { pathOf, type CheckpointPath } from './path';
import { checkModel, checkParts, selected, takers } from './select';

export interface RestoreCheckpointOptions {
  /** Which step's checkpoint. Default: the newest that is whole. */
  readonly step?: number;
  /** Whether parts of the checkpoint that are not given here are left out rather than refused. Default: false. */
  readonly partial?: boolean;
  /** What a name or key of the checkpoint is called here; before `only`. Default: the same. */
  readonly rename?: (key: string) => string;
  /** Says of a key whether its state is restored. Variables that it says no to stay as they are. Default: all are. */
  readonly only?: (key: string) => boolean;
}

const restoreOptions: NamesOf<RestoreCheckpointOptions> = { step: true, partial: true, rename: true, only: true };

/** A checkpoint that was restored. */
export interface RestoredCheckpoint extends CheckpointPlace {
  /** As it was saved; null where none was. */
  readonly metadata: JsonValue;
  /** What the parts were when they were saved, by name. */
  readonly parts: Readonly<Record<string, readonly CheckpointObject[]>>;
  /** Newer checkpoints that are damaged, and why: this one was restored in their place. */
  readonly damaged: readonly CheckpointError[];
}

/**
 * Restores what `saveCheckpoint` has saved. All of it is read, compared with its checksums and checked before anything changes.
 *
 * The newest checkpoint is taken. If that is damaged, the newest of the others that is not, with a warning of the process and
 * an entry in `damaged`. One that is asked for, by `step` or by the path of its own folder, is an error when it is damaged.
 *
 * What exists is written to where it lies, off the event loop, before any step looks at it; slots that do not exist yet lie
 * in the memory that was read. Asynchronous steps asked for before come first, those asked for later wait.
 *
 * @param folder that holds the checkpoints, or the folder of one.
 * @param parts what was saved, by the same names, in the same order.
 * @returns which it was; null where the folder has none, or is not there.
 * @throws TypeError, RangeError for wrong arguments; CheckpointError for a damaged checkpoint and for parts, keys or a version
 * that do not fit; Error, TypeError, RangeError, as `restoreState` has them, for keys, dtypes and shapes that do not fit; Error for
 * parts that are being trained in workers; what the system says when it cannot read. Nothing has changed then.
 * @example
 * import { restoreCheckpoint } from 'gradstep/checkpoint';
 *
 * const globalStep = createGlobalStep();
 * async function start(): Promise<void> {
 *   const restored = await restoreCheckpoint('checkpoints', { variables: [w], optimizer, globalStep });
 *   console.log(restored === null ? 'from the start' : `from step ${restored.step}`);
 * }
 */
export async function restoreCheckpoint(
  folder: CheckpointPath,
  parts: CheckpointParts,
  options: RestoreCheckpointOptions = {},
): Promise<RestoredCheckpoint | null> {
  checkOptions('options', options, restoreOptions);
  const { step, partial = false, rename, only } = options;
  if (step !== undefined) checkRange('step', step, 'a whole number that is not negative', isWhole);
  checkBoolean('partial', partial);
  if (rename !== undefined) checkFunction('rename', rename);
  if (only !== undefined) checkFunction('only', only);
  const given = checkedParts(parts);
  const path = resolve(pathOf('folder', folder));
  const found = await find(path, step, { parts: given, divided: dividedAmong(given), only, rename });
  if (found === null) return null;
  const { place, read, damaged } = found;
  checkParts(place.path, read.manifest, given, partial);
  const entries = selected(place.path, read.manifest, read, given, { partial, rename, only });
  const takes = takers(given, only);
  checkModel(place.path, entries.model, takes);
  const variables = takes.filter((part) => part instanceof Variable);
  const members = given.flatMap(({ members }) => members);
  refuseTraining(members);
  await holdState(members, async (inCharge) => {
    refuseTraining(members); // none has begun meanwhile
    const others = entries.others.map((entry) => ({ ...entry, key: read.ownKeys.get(entry.key) ?? entry.key }));
    const all = [...entries.model, ...others];
    const restore = (): void => restoreState(takes, all, { variables, adopt: true });
    await internals.copyLater(inCharge(() => internals.collectingCopies(restore)));
  });
  for (const { message } of damaged) process.emitWarning(`${message}; restored ${place.path}`, 'CheckpointWarning');
  return { ...place, metadata: read.manifest.metadata, parts: read.manifest.parts, damaged };
}

/** @throws Error for what workers train: the next step would be made of gradients of what was there before. */
function refuseTraining(parts: readonly Stateful[]): void {
  if (internals.stepsElsewhere(internals.keysOfParts(parts)).length === 0) return;
  throw new Error('parts are being trained in workers: await training.stop() before they are restored');
}
