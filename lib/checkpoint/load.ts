import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { openSafetensors, SafetensorsError } from 'gradstep/safetensors';
import type { StateEntry } from '../tensor/state';
import { checksumFor, type Checksum } from './checksum';
import { CheckpointError, reasonOf } from './error';
import { checkManifest, checkVersion, dataFiles, parseManifest, stateFile, type Manifest } from './manifest';
import { namedBy } from './names';
import { infosIn, loadParts, type Parts } from './load-parts';
import { readFully, stateDTypeOf, updateInPieces } from './reading';
import { SharedSpace } from './shared-space';

// Reading a checkpoint: all of it is seen to be what was written before anybody gets it.

/** The state in a file, in shared memory. */
export type Loaded = ReadonlyMap<string, StateEntry>;

/** More than any text of ours has. */
const mostStateBytes = 2 ** 26;

/** What a system says of a file that is not there, or cannot be read any more. */
const damages = new Set(['ENOENT', 'ENOTDIR', 'EISDIR', 'EIO']);

/** Runs what reads a checkpoint, and tells what is wrong with it from what is wrong with the system. */
async function reading<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (error instanceof CheckpointError || (typeof code === 'string' && !isDamage(error, code))) throw error;
    throw new CheckpointError('damaged', `${path} is damaged: ${reasonOf(error)}`, path, error);
  }
}

const isDamage = (error: unknown, code: string): boolean => error instanceof SafetensorsError || damages.has(code);

/**
 * What `state.json` says, its files being there with the lengths that it names.
 * @throws CheckpointError for a damaged checkpoint or one of a later format; what the system says when it cannot read.
 */
export function loadManifest(path: string): Promise<Manifest> {
  return reading(path, async () => {
    const manifest = await withFile(path, stateFile, async (file) => {
      const { size } = await file.stat();
      if (size > mostStateBytes) throw new Error(`${stateFile} has ${size} bytes`);
      const bytes = new Uint8Array(size);
      await readFully(file, bytes, stateFile);
      return describing(() => parseManifest(new TextDecoder().decode(bytes)));
    });
    try {
      checkVersion(manifest);
    } catch (error) {
      throw new CheckpointError('version', `${path} cannot be read: ${reasonOf(error)}`, path);
    }
    describing(() => checkManifest(manifest, namedBy(basename(path))?.step));
    for (const name of dataFiles) {
      const { size } = await withFile(path, name, (file) => file.stat());
      const { bytes } = manifest.files[name];
      if (size !== bytes) throw new Error(`${name} has ${size} bytes, ${bytes} were written`);
    }
    return manifest;
  });
}

/** Has errors say which file it is. */
function describing<T>(look: () => T): T {
  try {
    return look();
  } catch (error) {
    throw new Error(`${stateFile}: ${reasonOf(error)}`, { cause: error });
  }
}

async function withFile<T>(folder: string, name: string, use: (file: FileHandle) => Promise<T>): Promise<T> {
  // Opening a pipe would wait for somebody to write to it.
  const file = await open(join(folder, name), constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    if (!(await file.stat()).isFile()) throw new Error(`${name} is no file`);
    return await use(file);
  } finally {
    await file.close();
  }
}

/** The keys of the state in one of its files. @throws as `loadFile`. */
export function keysIn(path: string, name: (typeof dataFiles)[number]): Promise<string[]> {
  return reading(path, async () => (await infosIn(join(path, name))).map((info) => info.name));
}

/**
 * All state in one of its files, which is what its checksum says.
 * @param parts what of it is wanted, where that is not all.
 * @throws CheckpointError for a damaged file; what the system says when it cannot read.
 */
export function loadFile(
  path: string,
  manifest: Manifest,
  name: (typeof dataFiles)[number],
  parts?: Parts,
): Promise<Loaded> {
  return reading(path, async () => {
    const { bytes, sha256 } = manifest.files[name];
    if (parts !== undefined) {
      return withFile(path, name, (raw) => loadParts(join(path, name), raw, manifest.files[name], parts));
    }
    const checksum = checksumFor(bytes);
    try {
      const loaded = await loadTensors(path, name, bytes, checksum);
      if ((await checksum.digest()) !== sha256) throw new Error(`${name} is not what its checksum says`);
      return loaded;
    } finally {
      await checksum.end();
    }
  });
}

async function loadTensors(path: string, name: string, bytes: number, checksum: Checksum): Promise<Loaded> {
  const file = await openSafetensors(join(path, name));
  try {
    const infos = file.tensors; // in the order of the file, without holes
    const [first] = infos.values();
    const headBytes = first?.byteOffset ?? bytes;
    const head = new Uint8Array(new SharedArrayBuffer(headBytes));
    await withFile(path, name, (raw) => readFully(raw, head, name));
    await checksum.update(head);
    const space = new SharedSpace();
    const loaded = new Map<string, StateEntry>();
    for (const info of infos.values()) {
      const memory = space.take(stateDTypeOf(info), info.size);
      await file.read(info.name, { into: memory });
      await updateInPieces(checksum, new Uint8Array(memory.buffer, memory.byteOffset, memory.byteLength));
      loaded.set(info.name, { key: info.name, dtype: stateDTypeOf(info), shape: info.shape, memory });
    }
    return loaded;
  } finally {
    await file.close();
  }
}
