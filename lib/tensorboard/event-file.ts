import { mkdir, open, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { recordBytes, writeRecord } from './records';

/** How an event file is written. */
export interface FileOptions {
  /** Records gather until there are so many bytes, which are written at once. */
  readonly chunkBytes: number;
  /** How many bytes may wait in memory. */
  readonly mostBytes: number;
  /** After how many milliseconds what waits is written, however little it is. */
  readonly delay: number;
  /** Called with what went wrong, once until something could be written again. */
  readonly onError: (error: Error) => void;
}

/** Whole records, of `size` bytes or about that. */
interface Item {
  readonly record: Uint8Array | Promise<Uint8Array>;
  readonly size: number;
}

const retryDelay = 1000;

/** Files with something to write, which is written when the event loop has nothing else to do. */
const waiting = new Set<EventFile>();
let isListening = false;

function writeBeforeExit(): void {
  if (isListening) return;
  isListening = true;
  process.on('beforeExit', () => {
    for (const file of waiting) file.start();
    waiting.clear(); // what fails now has had its last chance
  });
}

/**
 * A file that records are appended to, by one write at a time, off the event loop. What cannot be written stays, and is
 * tried again from the byte on where it broke off.
 */
export class EventFile {
  /** How many records found no room in memory. */
  dropped = 0;
  private droppedAtFlush = 0;
  private readonly queue: Item[] = [];
  /** Where small records gather, and how much of it they take. */
  private chunk: Uint8Array | null = null;
  private used = 0;
  /** How much of the first item is in the file. */
  private offset = 0;
  private bytes = 0;
  private handle: FileHandle | null = null;
  private writing: Promise<void> | null = null;
  private timer: NodeJS.Timeout | null = null;
  private isReported = false;

  /** @param nextPath gives another name each time: there may be a file of that name. */
  constructor(
    private readonly nextPath: () => string,
    private readonly options: FileOptions,
    public path = nextPath(),
  ) {
    writeBeforeExit();
  }

  /** Takes a copy of a record's payload. */
  append(payload: Uint8Array): void {
    const size = recordBytes(payload);
    if (!this.hasRoom(size)) return;
    if (this.chunk === null || this.used + size > this.chunk.length) {
      this.seal();
      this.chunk = new Uint8Array(Math.max(size, this.options.chunkBytes));
    }
    this.used = writeRecord(this.chunk, this.used, payload);
    this.added(size);
  }

  /** Keeps a place for a whole record of about `size` bytes, which is being made. One that fails counts as dropped. */
  appendLater(record: () => Promise<Uint8Array>, size: number): void {
    if (!this.hasRoom(size)) return;
    this.seal();
    this.queue.push({ record: record().catch((error: unknown) => this.failed(error)), size });
    this.added(size);
  }

  private failed(error: unknown): Uint8Array {
    this.dropped++;
    this.report(new Error(`a record of ${this.path} could not be made: ${messageOf(error)}`, { cause: error }));
    return new Uint8Array(0);
  }

  private hasRoom(size: number): boolean {
    if (this.bytes + size <= this.options.mostBytes) return true;
    this.dropped++;
    this.report(new Error(`${this.path}: ${this.bytes} bytes wait, which is all that may, so records are dropped`));
    return false;
  }

  private added(size: number): void {
    this.bytes += size;
    waiting.add(this);
    if (this.writing === null) this.schedule();
  }

  private schedule(): void {
    if (this.bytes >= this.options.chunkBytes && !this.isReported) this.start();
    else this.timer ??= setTimeout(() => this.start(), this.delay).unref();
  }

  private get delay(): number {
    return this.isReported ? Math.max(this.options.delay, retryDelay) : this.options.delay;
  }

  private seal(): void {
    if (this.chunk !== null && this.used > 0) {
      this.queue.push({ record: this.chunk.subarray(0, this.used), size: this.used });
    }
    this.chunk = null;
    this.used = 0;
  }

  /** Writes all that waits now, or joins the write that is under way. */
  private write(): Promise<void> {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    return (this.writing ??= this.drain().finally(() => {
      this.writing = null;
      if (this.bytes > 0) this.schedule();
      else waiting.delete(this);
    }));
  }

  private async drain(): Promise<void> {
    try {
      this.handle ??= await this.create();
      this.seal();
      for (let left = this.queue.length; left > 0; left--) {
        const { record, size } = this.queue[0]!;
        await this.writeWhole(this.handle, await record);
        this.queue.shift();
        this.offset = 0;
        this.bytes -= size;
      }
      this.isReported = false;
    } catch (cause) {
      const error = new Error(
        `cannot write ${this.path}: ${messageOf(cause)}; about ${this.bytes} bytes are not written`,
        { cause },
      );
      this.report(error);
      throw error;
    }
  }

  private async writeWhole(handle: FileHandle, record: Uint8Array): Promise<void> {
    while (this.offset < record.length) {
      const { bytesWritten } = await handle.write(record, this.offset, record.length - this.offset);
      this.offset += bytesWritten;
    }
  }

  private async create(): Promise<FileHandle> {
    await mkdir(dirname(this.path), { recursive: true });
    for (;;) {
      try {
        return await open(this.path, 'ax');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
        this.path = this.nextPath();
      }
    }
  }

  private report(error: Error): void {
    if (this.isReported) return;
    this.isReported = true;
    try {
      this.options.onError(error);
    } catch (thrown) {
      process.emitWarning(`onError threw: ${messageOf(thrown)}`);
    }
  }

  /** Writes what waits, without anybody waiting for it. */
  start(): void {
    void this.write().catch(ignore);
  }

  /** @throws Error unless all that was appended before is in the file. */
  async flush(): Promise<void> {
    await this.writing?.catch(ignore); // what was appended since it began is not part of it
    await this.write();
    const dropped = this.dropped - this.droppedAtFlush;
    this.droppedAtFlush = this.dropped;
    if (dropped > 0) {
      throw new Error(
        `${this.path}: ${dropped} records were dropped, as too many bytes waited or they could not be made`,
      );
    }
  }

  /** Flushes, and closes the file in any case. */
  async close(): Promise<void> {
    try {
      await this.flush();
    } finally {
      if (this.timer !== null) clearTimeout(this.timer);
      waiting.delete(this);
      await this.handle?.close();
    }
  }
}

const ignore = (): void => undefined;
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
