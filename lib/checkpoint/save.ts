import { join, resolve } from 'node:path';
import { holdState } from 'gradstep';
import { streamSafetensors } from 'gradstep/safetensors';
import { checkBoolean, checkRange, isWhole } from '../checks';
import { checkOptions, type NamesOf } from '../options';
import { agreed, attempt } from '../step/agree';
import type { Ranks } from '../step/sharding';
import type { StateEntry } from '../tensor/state';
import { checksumFor } from './checksum';
import { systemDisk, type Disk } from './disk';
import { checkAlike, dividedAmong, gathered, together, type DividedEntry } from './divided';
import { checkedMetadata, type JsonValue } from './json';
import {
  dataFiles,
  describedParts,
  manifestText,
  modelFile,
  optimizerFile,
  stateFile,
  type Manifest,
} from './manifest';
import { checkedParts, type CheckpointContents, type Part } from './parts';
import { pathOf, type CheckpointPath } from './path';
import { publish } from './publish';
import { bytesOfAll, collect, copied, fits, stepOf, type Snapshot } from './snapshot';
import { withPieceSums, type PieceSums } from './pieces';
import { writeFile, type FileRecord } from './write-file';

export interface SaveCheckpointOptions {
  /** How many checkpoints to keep, this one included, of those of earlier steps. Default: all. */
  readonly keep?: number;
  /** What step this is. Default: what `globalStep` counts. */
  readonly step?: number;
  /**
   * Whether the state is copied first, so that training goes on while the copy is written. Otherwise it is written from where
   * it is, which takes no memory, and steps wait for that. Default: whether the copy fits into half of the memory that the
   * system has to spare.
   */
  readonly copy?: boolean;
}

const saveOptions: NamesOf<SaveCheckpointOptions> = { keep: true, step: true, copy: true };

/** A checkpoint that is on the disk. */
export interface SavedCheckpoint {
  /** Its folder. */
  readonly path: string;
  readonly step: number;
  /** Of its files together. */
  readonly bytes: number;
}

/**
 * Saves state as a folder `step-00001234` in `folder`: `model.safetensors` with the variables, `optimizer.safetensors` with all
 * other state, and `state.json`.
 *
 * It is the state of one step: that of all asynchronous steps asked for before the call and of none after it; where workers train
 * what is saved, that between two of their steps. Arguments are checked before the call returns. When the promise is fulfilled
 * all of it is on the disk; whenever the process ends or power fails before, what was there is there as it was.
 *
 * @param folder that holds the checkpoints of one run, as a string or a `URL`; made where there is none.
 * @param contents what has state, by name, and `metadata`: anything that JSON has.
 * @throws TypeError, RangeError for wrong arguments, before anything is written; CheckpointError, of code `not-saved`, with what
 * the system says when it cannot write, with nothing left behind; what a part's `state()` throws.
 * @example
 * import { saveCheckpoint } from 'gradstep/checkpoint';
 *
 * const globalStep = createGlobalStep();
 * const saving = saveCheckpoint('checkpoints', { variables: [w], optimizer, globalStep }, { keep: 3 });
 */
export async function saveCheckpoint(
  folder: CheckpointPath,
  contents: CheckpointContents,
  options: SaveCheckpointOptions = {},
): Promise<SavedCheckpoint> {
  return save(systemDisk, folder, contents, options);
}

/** @internal The same, with a file system to choose. */
export async function save(
  disk: Disk,
  folder: CheckpointPath,
  contents: CheckpointContents,
  options: SaveCheckpointOptions = {},
): Promise<SavedCheckpoint> {
  checkOptions('options', options, saveOptions);
  const { keep = Infinity, copy, step: givenStep } = options;
  if (keep !== Infinity) checkRange('keep', keep, 'a whole number from 1', (n) => isWhole(n) && n >= 1);
  if (givenStep !== undefined) checkRange('step', givenStep, 'a whole number that is not negative', isWhole);
  if (copy !== undefined) checkBoolean('copy', copy);
  const { metadata: givenMetadata, ...given } = { ...contents } as Record<string, unknown>;
  const metadata = checkedMetadata(givenMetadata);
  const parts = checkedParts(given);
  if (givenStep === undefined && stepOf(parts) === undefined) {
    throw new RangeError('which step it is must be said, by parts.globalStep or by options.step');
  }
  const path = resolve(pathOf('folder', folder));
  const ranks = dividedAmong(parts)[0]?.sharding.ranks;
  if (ranks !== undefined && copy === true) {
    throw new RangeError(
      'copy cannot be true with a sharded optimizer: steps wait until all ranks have given their parts',
    );
  }
  const write = (snapshot: Snapshot, about: Omit<Manifest, 'files'>): Promise<SavedCheckpoint> =>
    afterOthers(path, () => writeCheckpoint({ disk, folder: path, step: about.step, keep }, snapshot, about, ranks));
  const members = parts.flatMap((part) => part.members);
  const later = await holdState(members, async (inCharge) => {
    const collected = (): { snapshot: Snapshot; about: Omit<Manifest, 'files'> } =>
      inCharge(() => ({
        snapshot: collect(parts),
        about: aboutOf(givenStep ?? stepOf(parts)!, parts, metadata),
      }));
    if (ranks !== undefined) {
      const { snapshot, about } = agreed(ranks, attempt(collected), 'the checkpoint');
      checkAlike(ranks, snapshot.divided, about.step);
      const saved = await together(ranks, snapshot.divided, () => write(snapshot, about));
      return () => Promise.resolve(saved);
    }
    const { snapshot, about } = collected();
    if (!(copy ?? fits(bytesOfAll(snapshot)))) {
      const saved = await write(snapshot, about);
      return () => Promise.resolve(saved);
    }
    const own = await copied(snapshot);
    return () => write(own, about);
  });
  return later();
}

const aboutOf = (step: number, parts: readonly Part[], metadata: JsonValue): Omit<Manifest, 'files'> => ({
  format: 'gradstep checkpoint',
  version: 1,
  step,
  parts: describedParts(parts),
  metadata,
});

/** What was asked for last, by folder: saves into one follow each other. */
const lastInto = new Map<string, Promise<unknown>>();

async function afterOthers<T>(folder: string, write: () => Promise<T>): Promise<T> {
  const before = lastInto.get(folder) ?? Promise.resolve();
  const own = before.then(write, write);
  lastInto.set(folder, own);
  try {
    return await own;
  } finally {
    if (lastInto.get(folder) === own) lastInto.delete(folder);
  }
}

interface Target {
  readonly disk: Disk;
  readonly folder: string;
  readonly step: number;
  readonly keep: number;
}

async function writeCheckpoint(
  target: Target,
  snapshot: Snapshot,
  about: Omit<Manifest, 'files'>,
  ranks: Ranks | undefined,
): Promise<SavedCheckpoint> {
  const checksum = checksumFor(bytesOfAll(snapshot));
  let bytes = 0;
  try {
    const path = await publish(target, async (beside) => {
      const { model, others, divided } = snapshot;
      const write = (name: string, pieces: AsyncIterable<Uint8Array>, sums?: PieceSums): Promise<FileRecord> =>
        writeFile(target.disk, join(beside, name), pieces, checksum, snapshot.isOwn, sums);
      const files = {
        [modelFile]: await write(modelFile, streamOf(model)),
        [optimizerFile]:
          ranks === undefined
            ? await write(optimizerFile, streamOf(others))
            : await withPieceSums(bytesOfAll(snapshot), (sums) =>
                write(optimizerFile, streamOfRanks(ranks, others, divided), sums),
              ),
      };
      const text = new TextEncoder().encode(manifestText({ ...about, files }));
      await writeFile(target.disk, join(beside, stateFile), [text], checksum);
      bytes = dataFiles.reduce((sum, name) => sum + files[name].bytes, text.byteLength);
    });
    return { path, step: target.step, bytes };
  } finally {
    await checksum.end();
  }
}

/** The parts of all ranks come piece by piece: no rank has all of them. */
function streamOfRanks(
  ranks: Ranks,
  entries: readonly StateEntry[],
  divided: readonly DividedEntry[],
): AsyncIterable<Uint8Array> {
  const whole = entries.map((entry) => [entry.key, entry] as const);
  const parted = divided.map(({ key, dtype, shape }, i) => {
    return [key, { dtype, shape, data: () => gathered(ranks, divided, i) }] as const;
  });
  return streamSafetensors([...whole, ...parted]);
}

const streamOf = (entries: readonly StateEntry[]): AsyncIterable<Uint8Array> =>
  streamSafetensors(entries.map((entry) => [entry.key, entry] as const));
