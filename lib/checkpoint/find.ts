import { basename, dirname, join } from 'node:path';
import { Variable } from 'gradstep';
import { agreed, attemptLater, rootsText, type Attempt } from '../step/agree';
import type { Ranks } from '../step/sharding';
import type { Divided } from './divided';
import { CheckpointError, reasonOf } from './error';
import { listed, type CheckpointPlace } from './latest';
import { keysIn, loadFile, loadManifest, type Loaded } from './load';
import type { Parts } from './load-parts';
import { modelFile, optimizerFile, type Manifest } from './manifest';
import { namedBy } from './names';
import type { Part } from './parts';
import { answerFrom, takers, textFrom } from './select';

// Which checkpoint is restored, and what is read of it.

/** What is to be restored. */
export interface Wanted {
  readonly parts: readonly Part[];
  readonly divided: readonly Divided[];
  readonly only: ((key: string) => boolean) | undefined;
  readonly rename: ((key: string) => string) | undefined;
}

export interface Read {
  readonly manifest: Manifest;
  readonly model: Loaded;
  readonly others: Loaded;
  /** What state of which this rank has a part is called, by the whole's key. */
  readonly ownKeys: ReadonlyMap<string, string>;
}

export interface Found {
  readonly place: CheckpointPlace;
  readonly read: Read;
  readonly damaged: readonly CheckpointError[];
}

/** Checkpoints in the order in which they are tried. */
interface Candidates {
  readonly places: readonly CheckpointPlace[];
  /** Whether the next is tried where one is damaged. */
  readonly isAny: boolean;
}

/**
 * Reads the checkpoint that is asked for; the newest that is whole where none is.
 * @returns null where there is none.
 * @throws CheckpointError for one that is asked for and not there or damaged, and where all are; what the system says.
 */
export async function find(path: string, step: number | undefined, wanted: Wanted): Promise<Found | null> {
  const ranks = wanted.divided[0]?.sharding.ranks;
  const { places, isAny } =
    ranks === undefined ? await candidates(path, step) : await rootsCandidates(ranks, path, step);
  const damaged: CheckpointError[] = [];
  for (const place of places) {
    const tried = await attemptLater(() => readAll(place.path, wanted));
    const outcome = ranks === undefined ? tried : ofAll(ranks, place.path, tried);
    if ('value' in outcome) return { place, read: outcome.value, damaged };
    const { error } = outcome;
    if (!isAny || !(error instanceof CheckpointError && error.code === 'damaged')) throw error;
    damaged.push(error);
  }
  if (damaged.length === 0) return null;
  const reasons = damaged.map(reasonOf).join('; ');
  throw new CheckpointError('damaged', `${path} has no checkpoint that is whole: ${reasons}`, path, damaged[0]);
}

async function candidates(path: string, step: number | undefined): Promise<Candidates> {
  const own = namedBy(basename(path));
  if (own !== undefined) return { places: [await single(path, step, own.step)], isAny: false };
  const places = (await listed(path)).map((named) => ({ path: named.path, step: named.step }));
  if (step === undefined) return { places, isAny: true };
  const found = places.find((place) => place.step === step);
  if (found !== undefined) return { places: [found], isAny: false };
  throw new CheckpointError('not-found', `${path} has no checkpoint of step ${step}`, path);
}

async function single(path: string, step: number | undefined, own: number): Promise<CheckpointPlace> {
  if (step !== undefined && step !== own) {
    throw new CheckpointError('not-found', `${path} is not of step ${step}`, path);
  }
  const isThere = (await listed(dirname(path))).some(({ name }) => name === basename(path));
  if (!isThere) throw new CheckpointError('not-found', `there is no checkpoint ${path}`, path);
  return { path, step: own };
}

/** Those that rank 0 sees: others may see the folder later, or under another path. */
async function rootsCandidates(ranks: Ranks, path: string, step: number | undefined): Promise<Candidates> {
  const own: Attempt<Candidates> =
    ranks.rank === 0 ? await attemptLater(() => candidates(path, step)) : { value: { places: [], isAny: true } };
  const { places, isAny } = agreed(ranks, own, 'restoring');
  const names = places.map((place) => [basename(place.path), place.step] as const);
  const roots = JSON.parse(rootsText(ranks, JSON.stringify({ names, isAny }))) as {
    names: [string, number][];
    isAny: boolean;
  };
  const folder = namedBy(basename(path)) === undefined ? path : dirname(path);
  return { places: roots.names.map(([name, at]) => ({ path: join(folder, name), step: at })), isAny: roots.isAny };
}

const enum Outcome {
  Read,
  Damaged,
  Failed,
}

/** What all ranks together make of it: one that is damaged for one is so for all. */
function ofAll(ranks: Ranks, path: string, tried: Attempt<Read>): Attempt<Read> {
  const outcomes = new Int32Array(ranks.size);
  ranks.allGather(Int32Array.of(outcomeOf(tried)), outcomes);
  const worst = Math.max(...outcomes) as Outcome;
  if (worst === Outcome.Read || outcomeOf(tried) === worst) return tried;
  const where = `rank ${outcomes.indexOf(worst)}`;
  if (worst === Outcome.Failed)
    return { error: new Error(`${where} could not read ${path}: see what was thrown there`) };
  return { error: new CheckpointError('damaged', `${path} is damaged, as ${where} has found`, path) };
}

function outcomeOf(tried: Attempt<Read>): Outcome {
  if ('value' in tried) return Outcome.Read;
  const { error } = tried;
  return error instanceof CheckpointError && error.code === 'damaged' ? Outcome.Damaged : Outcome.Failed;
}

/** Reads those files of a checkpoint that have state of these parts. */
async function readAll(path: string, wanted: Wanted): Promise<Read> {
  const { parts, divided } = wanted;
  const manifest = await loadManifest(path);
  const hasModel = parts.some(({ name }) => name === 'variables');
  const hasOthers = parts.some(({ name }) => name !== 'variables');
  const none: Loaded = new Map();
  const model = hasModel ? await loadFile(path, manifest, modelFile) : none;
  if (!hasOthers) return { manifest, model, others: none, ownKeys: new Map() };
  if (divided.length === 0) {
    return { manifest, model, others: await loadFile(path, manifest, optimizerFile), ownKeys: new Map() };
  }
  const { ranges, ownKeys } = partsOf(await keysIn(path, optimizerFile), wanted);
  return { manifest, model, others: await loadFile(path, manifest, optimizerFile, ranges), ownKeys };
}

/** What of the state under these keys belongs to this rank. */
function partsOf(
  keys: readonly string[],
  { parts, divided, only, rename }: Wanted,
): { readonly ranges: Parts; readonly ownKeys: ReadonlyMap<string, string> } {
  const variables = takers(parts, only).filter((part) => part instanceof Variable);
  const renamed = new Map(keys.map((key) => [key, textFrom(rename, key)]));
  const ranges = new Map<string, { begin: number; end: number }>();
  const ownKeys = new Map<string, string>();
  for (const { prefix, sharding } of divided) {
    const own = [...renamed].filter(([, key]) => key.startsWith(prefix) && answerFrom(only, key));
    const wanted = sharding.wanted(new Set(own.map(([, key]) => key.slice(prefix.length))), variables);
    for (const [inFile, key] of own) {
      const part = wanted.get(key.slice(prefix.length));
      if (part === undefined) continue;
      ranges.set(inFile, part);
      ownKeys.set(key, prefix + part.ownKey);
    }
  }
  return { ranges, ownKeys };
}
