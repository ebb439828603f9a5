import { createHash } from 'node:crypto';
import { isWhole, shown } from '../checks';
import type { Stateful } from '../tensor/state';
import type { JsonValue } from './json';
import type { Part } from './parts';
import type { PieceRecord } from './pieces';
import type { FileRecord } from './write-file';

// `state.json`: what a checkpoint is, and how to tell that it is whole.

export const stateFile = 'state.json';
export const modelFile = 'model.safetensors';
export const optimizerFile = 'optimizer.safetensors';
export const dataFiles = [modelFile, optimizerFile] as const;

/** What an object was when it was saved. For people: nothing is restored from it. */
export interface CheckpointObject {
  readonly class: string;
  /** Its name, where it has one. */
  readonly name?: string;
  /** By name, for the variables in no group, then for each group; a function is `a schedule`. */
  readonly hyperparameters?: readonly Readonly<Record<string, number | string>>[];
  /** What a wrapper is around. */
  readonly optimizer?: CheckpointObject;
}

/** What `state.json` says. */
export interface Manifest {
  readonly format: 'gradstep checkpoint';
  readonly version: 1;
  readonly step: number;
  /** What was saved, by the names of the parts. */
  readonly parts: Readonly<Record<string, readonly CheckpointObject[]>>;
  readonly metadata: JsonValue;
  readonly files: Readonly<Record<(typeof dataFiles)[number], FileRecord>>;
}

/** Variables are many, and `model.safetensors` has all there is to say of them. */
export function describedParts(parts: readonly Part[]): Manifest['parts'] {
  return Object.fromEntries(
    parts.map(({ name, members }) => [name, name === 'variables' ? [] : members.map(described)]),
  );
}

function described(part: Stateful): CheckpointObject {
  const { name, mechanism, optimizer } = part as { name?: unknown; mechanism?: unknown; optimizer?: unknown };
  const { settingsByVariable } = (mechanism ?? {}) as { settingsByVariable?: { all: { described: object }[] } };
  return {
    class: part.constructor.name,
    ...(typeof name === 'string' && typeof part !== 'function' && { name }),
    ...(settingsByVariable !== undefined && {
      hyperparameters: settingsByVariable.all.map(({ described }) => ({ ...(described as Record<string, number>) })),
    }),
    ...(typeof optimizer === 'object' && optimizer !== null && { optimizer: described(optimizer as Stateful) }),
  };
}

const noSum = '0'.repeat(64);
const ending = (sum: string): string => `,\n  "sha256": "${sum}"\n}\n`;

/** The text of `state.json`: its last line is the checksum of itself, with zeros in the place of that. */
export function manifestText(manifest: Manifest): string {
  const text = JSON.stringify(manifest, null, 2).slice(0, -2);
  return text + ending(sumOf(text));
}

const sumOf = (text: string): string =>
  createHash('sha256')
    .update(text + ending(noSum))
    .digest('hex');

/** @throws Error that says what is wrong with it. */
export function parseManifest(text: string): Manifest {
  const head = text.slice(0, -ending(noSum).length);
  if (text !== head + ending(sumOf(head))) throw new Error('its text is not what its checksum says');
  const manifest = JSON.parse(text) as Manifest;
  if (manifest.format !== 'gradstep checkpoint') throw new Error('it is of something else than a checkpoint');
  return manifest;
}

/** @throws Error for a format that came after this. */
export function checkVersion({ version }: Manifest): void {
  if (version !== 1) throw new Error(`it has version ${shown(version)} of the format, this release reads 1`);
}

/** @throws Error for what no save writes, checksum or not. */
export function checkManifest({ parts, files, step }: Manifest, expectedStep: number | undefined): void {
  if (expectedStep !== undefined && step !== expectedStep) throw new Error(`it is of step ${shown(step)}`);
  const { [modelFile]: model, [optimizerFile]: optimizer } = (files ?? {}) as Partial<Manifest['files']>;
  const isRecord = (record: Partial<FileRecord> | undefined): boolean =>
    isWhole(record?.bytes as number) && typeof record?.sha256 === 'string' && arePieces(record.pieces);
  if (typeof parts === 'object' && parts !== null && isRecord(model) && isRecord(optimizer)) return;
  throw new Error('it does not say what was saved');
}

function arePieces(pieces: Partial<PieceRecord> | undefined): boolean {
  if (pieces === undefined) return true;
  return isWhole(pieces.bytes as number) && pieces.bytes! > 0 && Array.isArray(pieces.sha256);
}
