import { open, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { syncFolder } from '../safetensors/sync-folder';

/** A file that is being written, from its start to its end. */
export interface DiskFile {
  write(bytes: Uint8Array): Promise<void>;
  /** Waits until all that was written is on the disk. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** What saving asks of the file system, no more: a test that loses power puts another in its place. */
export interface Disk {
  /** Names in a folder. */
  list(folder: string): Promise<string[]>;
  /** Makes a folder and those above it that there are not, names on the disk. */
  ensureFolder(path: string): Promise<void>;
  /** Makes a folder that there is not yet. */
  makeFolder(path: string): Promise<void>;
  /** Makes a file that there is not yet. */
  create(path: string): Promise<DiskFile>;
  /** Waits until the names in a folder are on the disk. */
  syncFolder(path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** Removes a folder and what is in it. */
  remove(path: string): Promise<void>;
  /** For how long nothing has been made or renamed in a folder, in seconds. */
  age(path: string): Promise<number>;
}

/** Node's. */
export const systemDisk: Disk = {
  list: (folder) => readdir(folder),
  ensureFolder,
  makeFolder: async (path) => void (await mkdir(path)),
  create,
  syncFolder,
  rename: (from, to) => rename(from, to),
  remove: (path) => rm(path, { recursive: true, force: true }),
  age: async (path) => (Date.now() - (await stat(path)).mtimeMs) / 1000,
};

async function ensureFolder(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true });
  if (first === undefined) return;
  for (let made = resolve(path); made !== dirname(resolve(first)); made = dirname(made))
    await syncFolder(dirname(made));
}

async function create(path: string): Promise<DiskFile> {
  const file = await open(path, 'wx');
  return {
    write: async (bytes) => {
      for (let done = 0; done < bytes.byteLength;) {
        const { bytesWritten } = await file.write(bytes, done, bytes.byteLength - done);
        if (bytesWritten === 0) throw new Error('the system has written nothing');
        done += bytesWritten;
      }
    },
    sync: () => file.sync(),
    close: () => file.close(),
  };
}
