import type { FileHandle } from 'node:fs/promises';
import type { SafetensorsInfo } from 'gradstep/safetensors';
import type { StateDType } from '../tensor/state';
import type { Checksum } from './checksum';

// What all who read a file of state do.

const dtypes: Readonly<Record<string, StateDType>> = { F32: 'float32', F64: 'float64', I32: 'int32', I64: 'int64' };

export function stateDTypeOf({ name, dtype }: SafetensorsInfo): StateDType {
  const own = dtypes[dtype];
  if (own === undefined) throw new Error(`${JSON.stringify(name)} is of ${dtype}, which no state is`);
  return own;
}

export async function readFully(file: FileHandle, into: Uint8Array, name: string, from = 0): Promise<void> {
  for (let done = 0; done < into.byteLength;) {
    const { bytesRead } = await file.read(into, done, into.byteLength - done, from + done);
    if (bytesRead === 0) throw new Error(`${name} has become shorter while it was read`);
    done += bytesRead;
  }
}

const updateBytes = 2 ** 21;

/** Other work gets its turn between pieces. */
export async function updateInPieces(checksum: Checksum, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.byteLength; at += updateBytes) {
    await checksum.update(bytes.subarray(at, at + updateBytes));
    if (bytes.byteLength > updateBytes) await new Promise(setImmediate);
  }
}
