import { basename, dirname, resolve } from 'node:path';
import { holdState, internals, restoreState, Variable } from 'gradstep';
import { checkBoolean, checkFunction, checkRange, isWhole } from '../checks';
import { checkOptions, type NamesOf } from '../options';
import type { Stateful } from '../tensor/state';
import { CheckpointError, reasonOf } from './error';
import type { JsonValue } from './json';
import { listed, type CheckpointPlace } from './latest';
import { loadFile, loadManifest, type Loaded } from './load';
import { modelFile, optimizerFile, type CheckpointObject, type Manifest } from './manifest';
import { namedBy } from './names';
import { checkedParts, type CheckpointParts, type Part } from './parts';
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
  const found = await (namedBy(basename(path)) === undefined
    ? step === undefined
      ? newest(path, given)
      : ofStep(path, step, given)
    : single(path, step, given));
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
    const all = [...entries.model, ...entries.others];
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

interface Read {
  readonly manifest: Manifest;
  readonly model: Loaded;
  readonly others: Loaded;
}

interface Found {
  readonly place: CheckpointPlace;
  readonly read: Read;
  readonly damaged: readonly CheckpointError[];
}

/** Reads those files of a checkpoint that have state of these parts. */
async function readAll(path: string, parts: readonly Part[]): Promise<Read> {
  const manifest = await loadManifest(path);
  const hasModel = parts.some(({ name }) => name === 'variables');
  const hasOthers = parts.some(({ name }) => name !== 'variables');
  const none: Loaded = new Map();
  return {
    manifest,
    model: hasModel ? await loadFile(path, manifest, modelFile) : none,
    others: hasOthers ? await loadFile(path, manifest, optimizerFile) : none,
  };
}

async function newest(folder: string, parts: readonly Part[]): Promise<Found | null> {
  const damaged: CheckpointError[] = [];
  for (const { path, step } of await listed(folder)) {
    try {
      return { place: { path, step }, read: await readAll(path, parts), damaged };
    } catch (error) {
      if (!(error instanceof CheckpointError && error.code === 'damaged')) throw error;
      damaged.push(error);
    }
  }
  if (damaged.length === 0) return null;
  const reasons = damaged.map(reasonOf).join('; ');
  throw new CheckpointError('damaged', `${folder} has no checkpoint that is whole: ${reasons}`, folder, damaged[0]);
}

async function ofStep(folder: string, step: number, parts: readonly Part[]): Promise<Found> {
  const { path } = (await listed(folder)).find((named) => named.step === step) ?? {};
  if (path !== undefined) return { place: { path, step }, read: await readAll(path, parts), damaged: [] };
  throw new CheckpointError('not-found', `${folder} has no checkpoint of step ${step}`, folder);
}

async function single(path: string, step: number | undefined, parts: readonly Part[]): Promise<Found> {
  const { name, step: own } = namedBy(basename(path))!;
  if (step !== undefined && step !== own) {
    throw new CheckpointError('not-found', `${path} is not of step ${step}`, path);
  }
  const isThere = (await listed(dirname(path))).some((other) => other.name === name);
  if (!isThere) throw new CheckpointError('not-found', `there is no checkpoint ${path}`, path);
  return { place: { path, step: own }, read: await readAll(path, parts), damaged: [] };
}
