import type { Checksum } from './checksum';
import type { Disk, DiskFile } from './disk';
import type { PieceRecord, PieceSums } from './pieces';

/** A file as `state.json` has it: what is there must be that. */
export interface FileRecord {
  readonly bytes: number;
  readonly sha256: string;
  /** Of a file that ranks read parts of: the checksums of its pieces. */
  readonly pieces?: PieceRecord;
}

/** So much at a time is copied, and then written and summed up off the event loop. */
const stageBytes = 2 ** 21;
/** A write or a checksum that takes its time holds the other up only when so many are on their way. */
const stages = 4;

/** From so many bytes on, a piece that nobody changes is written from where it lies. */
const leastDirect = 2 ** 18;

/**
 * Writes a file and sees it to the disk. Bytes are copied first: what the checksum is of is what is written, even if somebody
 * changes them meanwhile.
 * @param isOwn whether nobody does, as they are in shared memory of ours.
 */
export async function writeFile(
  disk: Disk,
  path: string,
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  checksum: Checksum,
  isOwn = false,
  sums?: PieceSums,
): Promise<FileRecord> {
  const file = await disk.create(path);
  try {
    const staged = new Staged(file, checksum, sums);
    for await (const piece of pieces) {
      if (isOwn && piece.byteLength >= leastDirect) await staged.pass(piece);
      else await staged.add(piece);
    }
    await staged.finish();
    await file.sync();
    const record = await sums?.record();
    const whole = { bytes: staged.bytes, sha256: await checksum.digest() };
    await file.close();
    return record === undefined ? whole : { ...whole, pieces: record };
  } catch (error) {
    await file.close().catch(() => undefined); // the reason why it failed is the one to tell
    throw error;
  }
}

/** A piece of memory, and what it is being read for: it can be filled again when that is over. */
interface Stage {
  readonly bytes: Uint8Array;
  read: Promise<void>;
}

const newStage = (): Stage => ({
  bytes: new Uint8Array(new SharedArrayBuffer(stageBytes)),
  read: Promise.resolve(),
});

/** Some pieces of memory: one is filled while the others are on their way. */
class Staged {
  readonly #stages: Stage[] = [];
  readonly #passed: Promise<void>[] = [];
  #at = 0;
  #filled = 0;
  #written: Promise<void> = Promise.resolve();
  bytes = 0;

  constructor(
    private readonly file: DiskFile,
    private readonly checksum: Checksum,
    private readonly sums: PieceSums | undefined,
  ) {}

  async add(piece: Uint8Array): Promise<void> {
    const length = piece.byteLength;
    for (let done = 0; done < length;) {
      const stage = (this.#stages[this.#at] ??= newStage());
      if (this.#filled === 0) await stage.read;
      const part = piece.subarray(done, done + stageBytes - this.#filled);
      if (part.byteLength === 0) throw new Error('an array has been transferred or shrunk while it was saved');
      stage.bytes.set(part, this.#filled);
      this.#filled += part.byteLength;
      done += part.byteLength;
      if (this.#filled === stageBytes) this.#sendStage();
    }
  }

  /** Takes a piece that stays as it is. */
  async pass(piece: Uint8Array): Promise<void> {
    this.#sendStage();
    if (this.#passed.length === stages) await this.#passed.shift();
    this.#passed.push(this.#send(piece));
  }

  #sendStage(): void {
    if (this.#filled === 0) return;
    const stage = this.#stages[this.#at]!;
    stage.read = this.#send(stage.bytes.subarray(0, this.#filled));
    this.#at = (this.#at + 1) % stages;
    this.#filled = 0;
  }

  /** Writes follow each other; so do checksums, at a pace of their own. */
  #send(bytes: Uint8Array): Promise<void> {
    this.bytes += bytes.byteLength;
    this.#written = this.#written.then(() => this.file.write(bytes));
    const read = allSettled([
      this.#written,
      this.checksum.update(bytes),
      this.sums?.update(bytes) ?? Promise.resolve(),
    ]);
    read.catch(() => undefined); // whoever waits for it is told
    return read;
  }

  async finish(): Promise<void> {
    this.#sendStage();
    await allSettled([...this.#stages.map(({ read }) => read), ...this.#passed]);
  }
}

/** As `Promise.all`, but nothing is under way any more when it fails. */
async function allSettled(promises: readonly Promise<unknown>[]): Promise<void> {
  const failed = (await Promise.allSettled(promises)).find(({ status }) => status === 'rejected');
  if (failed !== undefined) throw (failed as PromiseRejectedResult).reason;
}
