import { join } from 'node:path';
import { threadId } from 'node:worker_threads';
import type { Disk } from './disk';
import { ownerOf } from './names';

/** Temporary folders that this thread is at. */
export const inUse = new Set<string>();

/** After so many seconds even a folder of another machine is taken for a leftover. */
const forgottenAfter = 86_400;

/** Removes what interrupted saves have left. */
export async function removeLeftovers(disk: Disk, folder: string, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const path = join(folder, name);
    if (await isLeftover(disk, path, name)) await disk.remove(path);
  }
}

async function isLeftover(disk: Disk, path: string, name: string): Promise<boolean> {
  const owner = ownerOf(name);
  if (owner === undefined || inUse.has(path)) return false;
  if (!owner.here) return (await disk.age(path)) > forgottenAfter;
  // In a container the process before had the same id.
  return owner.pid === process.pid ? owner.thread === threadId : !isAlive(owner.pid);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'; // one of another user's is alive
  }
}
