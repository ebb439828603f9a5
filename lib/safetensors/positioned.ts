import { SafetensorsError } from './error';
import { isThere } from './memory';

// One call of the system moves so much: enough to be worth it, little enough that other work gets its turn.
const pieceBytes = 2 ** 23;

/** A FileHandle, as far as it matters here: the types of the package do without those of Node. */
export interface PositionedFile {
  read(into: Uint8Array, offset: number, length: number, position: number): Promise<{ readonly bytesRead: number }>;
  close(): Promise<void>;
}

/**
 * Fills `into` from a place in a file, in as many calls as that takes.
 * @throws SafetensorsError when the file ends before that: when it was opened it did not.
 */
export async function readFully(
  file: PositionedFile,
  into: Uint8Array,
  position: number,
  tensor?: string,
): Promise<void> {
  const length = into.byteLength;
  for (let done = 0; done < length;) {
    if (!isThere(into, length)) throw new Error('the array that is read into has been transferred or shrunk');
    const { bytesRead } = await file.read(into, done, Math.min(pieceBytes, length - done), position + done);
    if (bytesRead === 0) {
      const offset = position + done;
      throw new SafetensorsError('file-changed', 'the file has become shorter while it was read', { tensor, offset });
    }
    done += bytesRead;
  }
}

/**
 * Writes all of these behind each other, in as many calls as that takes: the system may take less than it is given.
 * @throws Error when it takes nothing at all.
 */
export async function writeFully(
  file: { writev(batch: readonly Uint8Array[]): Promise<{ readonly bytesWritten: number }> },
  batch: readonly Uint8Array[],
): Promise<void> {
  let rest = batch;
  while (rest.length > 0) {
    const { bytesWritten } = await file.writev(rest);
    if (bytesWritten === 0) throw new Error('the system has written nothing');
    rest = after(rest, bytesWritten);
  }
}

function after(batch: readonly Uint8Array[], bytes: number): Uint8Array[] {
  let skipped = 0;
  let left = bytes;
  while (skipped < batch.length && left >= batch[skipped]!.byteLength) left -= batch[skipped++]!.byteLength;
  const rest = batch.slice(skipped);
  if (left > 0) rest[0] = rest[0]!.subarray(left);
  return rest;
}
