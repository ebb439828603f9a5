import type { FileHandle } from 'node:fs/promises';
import { openSafetensors, type SafetensorsInfo } from 'gradstep/safetensors';
import type { StateEntry, StateMemory } from '../tensor/state';
import { checksumFor, type Checksum } from './checksum';
import { readFully, stateDTypeOf, updateInPieces } from './reading';
import { SharedSpace } from './shared-space';
import type { FileRecord } from './write-file';

// Reading parts of a file: of its pieces those that have something of them, or all where the file has a checksum of the whole only.
// Either way no more than a piece is in memory beside what is wanted.

/** Which elements are wanted, by key. Of all other keys all are. */
export type Parts = ReadonlyMap<string, { readonly begin: number; readonly end: number }>;

/** So much is read at a time where the file says nothing of pieces. */
const readBytes = 2 ** 24;

/** A stretch of the file, and where it is to go. */
interface Stretch {
  readonly begin: number;
  readonly end: number;
  readonly to: Uint8Array;
}

/**
 * The state in a file, of some of it a part, which has the shape of a list.
 * @throws Error for a file that is not what its checksums say.
 */
export async function loadParts(
  path: string,
  raw: FileHandle,
  record: FileRecord,
  parts: Parts,
): Promise<Map<string, StateEntry>> {
  const infos = await infosIn(path);
  const space = new SharedSpace();
  const loaded = new Map<string, StateEntry>();
  // The header has been read by itself: it is looked at again, with the rest.
  const stretches: Stretch[] = [{ begin: 0, end: infos[0]?.byteOffset ?? record.bytes, to: new Uint8Array(0) }];
  for (const info of infos) {
    const dtype = stateDTypeOf(info);
    const part = parts.get(info.name);
    const [begin, end] = part === undefined ? [0, info.size] : [part.begin, part.end];
    if (begin > end || end > info.size) throw new Error(`${info.name} has ${info.size} elements, ${end} are wanted`);
    const memory = space.take(dtype, end - begin);
    const shape = begin === 0 && end === info.size ? info.shape : [end - begin];
    loaded.set(info.name, { key: info.name, dtype, shape, memory });
    const first = info.byteOffset + begin * memory.BYTES_PER_ELEMENT;
    if (begin < end) stretches.push({ begin: first, end: first + memory.byteLength, to: bytesOf(memory) });
  }
  const checksum = checksumFor(record.bytes);
  try {
    await readStretches(raw, record, stretches, checksum);
  } finally {
    await checksum.end();
  }
  return loaded;
}

/** What is in a file. */
export async function infosIn(path: string): Promise<SafetensorsInfo[]> {
  const file = await openSafetensors(path);
  try {
    return [...file.tensors.values()]; // in the order of the file, without holes
  } finally {
    await file.close();
  }
}

const bytesOf = (memory: StateMemory): Uint8Array =>
  new Uint8Array(memory.buffer, memory.byteOffset, memory.byteLength);

async function readStretches(
  raw: FileHandle,
  { bytes, sha256, pieces }: FileRecord,
  stretches: readonly Stretch[],
  checksum: Checksum,
): Promise<void> {
  const length = pieces?.bytes ?? readBytes;
  const buffer = new Uint8Array(new SharedArrayBuffer(Math.min(length, bytes)));
  let next = 0;
  for (let at = 0; at < bytes; at += length) {
    const end = Math.min(bytes, at + length);
    while (next < stretches.length && stretches[next]!.end <= at) next++;
    const isNeeded = next < stretches.length && stretches[next]!.begin < end;
    if (!isNeeded && pieces !== undefined) continue;
    const piece = buffer.subarray(0, end - at);
    await readFully(raw, piece, 'the file', at);
    await updateInPieces(checksum, piece);
    if (pieces !== undefined && (await checksum.digest()) !== pieces.sha256[at / length]) {
      throw new Error(`bytes ${at} to ${end} are not what their checksum says`);
    }
    for (let i = next; i < stretches.length && stretches[i]!.begin < end; i++) copyPart(stretches[i]!, piece, at);
  }
  if (pieces === undefined && (await checksum.digest()) !== sha256)
    throw new Error('the file is not what its checksum says');
}

/** Copies what a piece from `at` on has of a stretch. */
function copyPart({ begin, end, to }: Stretch, piece: Uint8Array, at: number): void {
  const first = Math.max(begin, at);
  const last = Math.min(end, at + piece.byteLength);
  if (last > first && to.byteLength > 0) to.set(piece.subarray(first - at, last - at), first - begin);
}
