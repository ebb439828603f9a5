import { open, type FileHandle } from 'node:fs/promises';
import { checkBoolean, shown } from '../checks';
import { checkOptions, type NamesOf } from '../options';
import { crc32c, masked } from './crc';
import { readEvent, type ReadEvent } from './read-event';
import { footerBytes, headerBytes } from './records';

/** Options of `readEvents`. */
export interface ReadEventsOptions {
  /** Whether a last record that is not complete, as a file that is being written has, just ends it. Default: false. */
  allowTruncated?: boolean;
}

const names: NamesOf<ReadEventsOptions> = { allowTruncated: true };

/**
 * The events of an event file, in their order, the first of which carries its version.
 *
 * It is strict: both checksums of every record are looked at, and every message is read to its end. Fields and events of
 * kinds that it does not know are passed over, as Protocol Buffers have it. It takes no more memory than the largest record.
 *
 * @param path of the file.
 * @throws TypeError for a wrong kind of argument; while it is iterated, Error for a file that is not one of events, with the
 * offset of the record, and what Node throws for one that cannot be read.
 * Source: `tf.train.summary_iterator` of TensorFlow 1.
 * @example
 * import { readEvents } from 'gradstep/tensorboard';
 * async function lossesOf(path: string): Promise<number[]> {
 *   const found: number[] = [];
 *   for await (const { values } of readEvents(path)) {
 *     for (const value of values) if (value.tag === 'loss' && value.kind === 'scalar') found.push(value.value);
 *   }
 *   return found;
 * }
 */
export function readEvents(path: string, options: ReadEventsOptions = {}): AsyncGenerator<ReadEvent, void, undefined> {
  if (typeof path !== 'string') throw new TypeError(`path must be a string, got ${shown(path)}`);
  checkOptions('options', options, names);
  const { allowTruncated = false } = options;
  checkBoolean('allowTruncated', allowTruncated);
  return eventsOf(path, allowTruncated);
}

async function* eventsOf(path: string, allowTruncated: boolean): AsyncGenerator<ReadEvent, void, undefined> {
  const handle = await open(path);
  try {
    const source = new Source(handle);
    for (let isFirst = true; ; isFirst = false) {
      const { offset } = source;
      const event = await at(path, offset, async () => {
        const payload = await nextPayload(source, allowTruncated);
        return payload === null ? null : checked(readEvent(payload), isFirst);
      });
      if (event === null) return;
      yield event;
    }
  } finally {
    await handle.close();
  }
}

async function at<T>(path: string, offset: number, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof Error && 'syscall' in error) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${path}: the record at byte ${offset} cannot be read: ${reason}`, { cause: error });
  }
}

function checked(event: ReadEvent, isFirst: boolean): ReadEvent {
  if (isFirst && event.fileVersion !== 'brain.Event:2') {
    throw new Error(`this is no event file of version 2: its first event has the version ${shown(event.fileVersion)}`);
  }
  return event;
}

/** The payload of the next record, or null at the end. @throws Error for what is no record. */
async function nextPayload(source: Source, allowTruncated: boolean): Promise<Uint8Array | null> {
  const header = await source.next(headerBytes);
  if (header.length === 0) return null;
  if (header.length === headerBytes) {
    const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
    expectSame('length', view.getUint32(8, true), crc32c(header, 0, 8));
    const length = Number(view.getBigUint64(0, true));
    const rest = await source.next(length + footerBytes);
    if (rest.length === length + footerBytes) {
      const payload = rest.subarray(0, length);
      const footer = new DataView(rest.buffer, rest.byteOffset + length, footerBytes);
      expectSame('data', footer.getUint32(0, true), crc32c(payload));
      return payload;
    }
  }
  if (allowTruncated) return null;
  throw new Error('it is not complete');
}

function expectSame(what: string, found: number, crc: number): void {
  if (found === masked(crc)) return;
  throw new Error(`the checksum of its ${what} is ${hex(found)}, expected ${hex(masked(crc))}`);
}

const hex = (crc: number): string => crc.toString(16).padStart(8, '0');

const leastRead = 2 ** 16;

/** A file from its start to its end, in pieces. */
class Source {
  /** Where the next piece starts. */
  offset = 0;
  private buffer: Uint8Array = new Uint8Array(0);

  constructor(private readonly handle: FileHandle) {}

  /** So many bytes, or fewer at the end of the file, until the next call. */
  async next(count: number): Promise<Uint8Array> {
    if (this.buffer.length < count) await this.fill(count);
    const piece = this.buffer.subarray(0, count);
    this.buffer = this.buffer.subarray(piece.length);
    this.offset += piece.length;
    return piece;
  }

  private async fill(count: number): Promise<void> {
    const start = this.offset + this.buffer.length;
    const { size } = await this.handle.stat(); // a length that is a lie must not take memory
    const wanted = Math.min(Math.max(count, leastRead), this.buffer.length + Math.max(0, size - start));
    const next = new Uint8Array(wanted);
    next.set(this.buffer);
    let filled = this.buffer.length;
    while (filled < wanted) {
      const { bytesRead } = await this.handle.read(next, filled, wanted - filled, this.offset + filled);
      if (bytesRead === 0) break; // it has become shorter
      filled += bytesRead;
    }
    this.buffer = next.subarray(0, filled);
  }
}
