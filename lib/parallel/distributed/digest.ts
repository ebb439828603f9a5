import { createHash } from 'node:crypto';
import type { StateEntry } from '../../tensor/state';

/** A piece of state, in short. */
export interface Piece {
  readonly key: string;
  /** Dtype and shape. */
  readonly form: string;
  /** The checksum of its bytes. */
  readonly sum: string;
}

export function pieceOf({ key, dtype, shape, memory }: StateEntry): Piece {
  const bytes = new Uint8Array(memory.buffer, memory.byteOffset, memory.byteLength);
  return { key, form: `${dtype} [${shape.join(', ')}]`, sum: createHash('sha256').update(bytes).digest('base64') };
}

/** SHA-256 of them all, in 8 numbers of 32 bits. */
export function digestOf(pieces: readonly Piece[]): Int32Array {
  const digest = createHash('sha256').update(JSON.stringify(pieces)).digest();
  return Int32Array.from({ length: 8 }, (_, i) => digest.readInt32LE(4 * i));
}
