import { randomBytes } from 'node:crypto';
import { open, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { syncFolder } from './sync-folder';

/**
 * Puts a file in place as a whole or not at all: `write` gets one beside it, under a name of its own, which takes the
 * place of the old one when all of it is written.
 * @param durable whether both are on the disk before that, and the name after it.
 */
export async function replaceFile(
  path: string,
  durable: boolean,
  write: (file: FileHandle) => Promise<void>,
): Promise<void> {
  const folder = dirname(path);
  const beside = join(folder, `.${basename(path).slice(0, 100)}.${randomBytes(8).toString('hex')}.tmp`);
  const mode = await modeOf(path);
  const file = await open(beside, 'wx', mode);
  try {
    if (mode !== undefined) await file.chmod(mode); // whatever the process leaves off files that it creates
    await write(file);
    if (durable) await file.sync();
    await file.close();
    await rename(beside, path);
  } catch (error) {
    await file.close().catch(() => undefined); // the reason why it failed is the one to tell
    await rm(beside, { force: true }).catch(() => undefined);
    throw error;
  }
  if (durable) await syncFolder(folder);
}

/** Who may do what with the file that there is. */
async function modeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).mode & 0o777;
  } catch {
    return undefined; // there is none
  }
}
