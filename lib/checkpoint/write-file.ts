import type { Checksum } from './checksum';
import type { Disk, DiskFile } from './disk';

/** A file as `state.json` has it: what is there must be that. */
export interface FileRecord {
  readonly bytes: number;
  readonly sha256: string;
}

/** So much at a time is copied, and then written and summed up off the event loop. */
const stageBytes = 2 ** 21;

/**
 * Writes a file and sees it to the disk. Bytes are copied first: what the checksum is of is what is written, even if somebody
 * changes them meanwhile.
 */
export async function writeFile(
  disk: Disk,
  path: string,
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  checksum: Checksum,
): Promise<FileRecord> {
  const file = await disk.create(path);
  try {
    const staged = new Staged(file, checksum);
    for await (const piece of pieces) await staged.add(piece);
    await staged.finish();
    await file.sync();
    const record = { bytes: staged.bytes, sha256: await checksum.digest() };
    await file.close();
    return record;
  } catch (error) {
    await file.close().catch(() => undefined); // the reason why it failed is the one to tell
    throw error;
  }
}

/** Two pieces of memory: one is filled while the other is on its way. */
class Staged {
  #filling = new Uint8Array(new SharedArrayBuffer(stageBytes));
  #other = new Uint8Array(new SharedArrayBuffer(stageBytes));
  #filled = 0;
  #onItsWay: Promise<unknown> = Promise.resolve();
  bytes = 0;

  constructor(
    private readonly file: DiskFile,
    private readonly checksum: Checksum,
  ) {}

  async add(piece: Uint8Array): Promise<void> {
    const length = piece.byteLength;
    for (let done = 0; done < length;) {
      const part = piece.subarray(done, done + stageBytes - this.#filled);
      if (part.byteLength === 0) throw new Error('an array has been transferred or shrunk while it was saved');
      this.#filling.set(part, this.#filled);
      this.#filled += part.byteLength;
      done += part.byteLength;
      if (this.#filled === stageBytes) await this.#send();
    }
  }

  async #send(): Promise<void> {
    await this.#onItsWay;
    const bytes = this.#filling.subarray(0, this.#filled);
    this.bytes += bytes.byteLength;
    this.#onItsWay = allSettled([this.file.write(bytes), this.checksum.update(bytes)]);
    this.#onItsWay.catch(() => undefined); // whoever waits for it is told
    [this.#filling, this.#other, this.#filled] = [this.#other, this.#filling, 0];
  }

  async finish(): Promise<void> {
    await this.#send();
    await this.#onItsWay;
  }
}

/** As `Promise.all`, but nothing is under way any more when it fails. */
async function allSettled(promises: readonly Promise<unknown>[]): Promise<void> {
  const failed = (await Promise.allSettled(promises)).find(({ status }) => status === 'rejected');
  if (failed !== undefined) throw (failed as PromiseRejectedResult).reason;
}
