import { checksumFor, type Checksum } from './checksum';

/** Checksums of the pieces of a file, one after the other: whoever reads a part of it need not read all to know that it is whole. */
export interface PieceRecord {
  /** How long each is, but for the last. */
  readonly bytes: number;
  readonly sha256: readonly string[];
}

const pieceBytes = 2 ** 24;

/** Makes the checksums of the pieces of a file that comes bit by bit. */
export class PieceSums {
  readonly #sums: Promise<string>[] = [];
  #filled = 0;

  constructor(private readonly checksum: Checksum) {}

  /** The bytes must stay as they are until the promise is settled. */
  async update(bytes: Uint8Array): Promise<void> {
    const read: Promise<void>[] = [];
    for (let done = 0; done < bytes.byteLength;) {
      const part = bytes.subarray(done, done + pieceBytes - this.#filled);
      read.push(this.checksum.update(part));
      done += part.byteLength;
      this.#filled += part.byteLength;
      if (this.#filled === pieceBytes) this.#end();
    }
    await Promise.all(read);
  }

  #end(): void {
    const sum = this.checksum.digest();
    sum.catch(() => undefined); // `record` tells
    this.#sums.push(sum);
    this.#filled = 0;
  }

  /** Those of all that came. */
  async record(): Promise<PieceRecord> {
    if (this.#filled > 0) this.#end();
    return { bytes: pieceBytes, sha256: await Promise.all(this.#sums) };
  }
}

/** Calls `use` with what makes the checksums of the pieces of a file of about so many bytes. */
export async function withPieceSums<T>(bytes: number, use: (sums: PieceSums) => Promise<T>): Promise<T> {
  const checksum = checksumFor(bytes);
  try {
    return await use(new PieceSums(checksum));
  } finally {
    await checksum.end();
  }
}
