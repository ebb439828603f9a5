import type { FileHandle } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { shown } from '../checks';
import { checkOptions, type NamesOf } from '../options';
import { replaceFile } from './atomic';
import { layOut, writeOptions, type Layout, type SafetensorsWriteOptions } from './layout';
import { checkByteOrder } from './memory';
import type { SafetensorsSources } from './named-tensors';
import { pathOf, type SafetensorsPath } from './path';
import { writeFully } from './positioned';
import { chunksOf } from './serialize';

/** A Writable of Node's, as far as it matters here. */
export interface SafetensorsSink {
  /** Takes a piece of the file. */
  write(chunk: Uint8Array): unknown;
  /** Is called when all has been written. */
  end(): unknown;
  /** Tells when something fails. */
  on(event: 'error', listener: (error: Error) => void): unknown;
}

/** What goes into a file beside its tensors, and how it is written. */
export interface SafetensorsFileOptions extends SafetensorsWriteOptions {
  /**
   * Whether to wait until the file and its name are on the disk, so that not even a loss of power leaves less than either
   * the old or the new file. Of files only. Default: true.
   */
  readonly durable?: boolean;
}

const fileOptions: NamesOf<SafetensorsFileOptions> = { ...writeOptions, durable: true };

// What goes to the system in one call: so many bytes, and so many pieces.
const batchBytes = 2 ** 22;
const batchPieces = 256;

/**
 * Writes a file with these tensors, from your arrays, without a copy. Leave these alone until it is done.
 *
 * A file comes to be as a whole or not at all: it is written beside under another name, then renamed. Until then whoever
 * opens it sees the old one. A stream is ended.
 * @param to the path of a file, as a string or a `URL`, or a Writable.
 * @param tensors by name, see SafetensorsSource.
 * @param options the strings of `__metadata__`, and whether to wait for the disk.
 * @returns the length of the file.
 * @throws TypeError and RangeError for what cannot be written, with the tensor's name, before anything is written; what
 * the system says when it cannot write (no space left, no permission), with nothing left behind; what a function throws
 * that is to give data.
 */
export async function writeSafetensors(
  to: SafetensorsPath | SafetensorsSink,
  tensors: SafetensorsSources,
  options: SafetensorsFileOptions = {},
): Promise<number> {
  checkOptions('options', options, fileOptions);
  const { durable = true } = options;
  if (typeof durable !== 'boolean') throw new TypeError(`durable must be a boolean, got ${shown(durable)}`);
  checkByteOrder();
  const sink = isSink(to);
  const path = sink ? '' : pathOf(to);
  const layout = layOut(tensors, options);
  if (sink) await pipeline(chunksOf(layout), to as unknown as NodeJS.WritableStream);
  else await replaceFile(path, durable, (file) => writeAll(file, layout));
  return layout.byteLength;
}

function isSink(to: unknown): to is SafetensorsSink {
  const { write, end, on } = (to ?? {}) as Partial<Record<string, unknown>>;
  return [write, end, on].every((method) => typeof method === 'function');
}

/** Many small pieces go in one call. */
async function writeAll(file: FileHandle, layout: Layout): Promise<void> {
  let batch: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of chunksOf(layout)) {
    batch.push(piece);
    bytes += piece.byteLength;
    if (bytes < batchBytes && batch.length < batchPieces) continue;
    await writeFully(file, batch);
    [batch, bytes] = [[], 0];
  }
  await writeFully(file, batch);
}
