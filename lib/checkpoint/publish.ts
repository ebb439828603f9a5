import { dirname, join } from 'node:path';
import { CheckpointError, reasonOf } from './error';
import type { Disk } from './disk';
import { inUse, removeLeftovers } from './leftovers';
import { checkpointsAmong, nameOf, temporaryName } from './names';

/** How a checkpoint gets into its folder: as a whole or not at all. */
export interface Publication {
  readonly disk: Disk;
  readonly folder: string;
  readonly step: number;
  /** How many to keep. */
  readonly keep: number;
}

/**
 * Lets `fill` write files into a new folder, and gives it its name when all of it is on the disk.
 * @returns its path.
 * @throws CheckpointError for whatever the system says, with nothing left behind.
 */
export async function publish(
  { disk, folder, step, keep }: Publication,
  fill: (path: string) => Promise<void>,
): Promise<string> {
  let path = join(folder, nameOf(step, 0));
  try {
    await disk.ensureFolder(folder);
    const names = await disk.list(folder);
    await removeLeftovers(disk, folder, names);
    // A step that was saved before keeps its folder until the new one is there: two renames would leave a moment with neither.
    const before = checkpointsAmong(names).find((other) => other.step === step);
    const name = nameOf(step, before === undefined ? 0 : before.repeat + 1);
    path = join(folder, name);
    await inTemporary(disk, join(folder, temporaryName(name)), async (beside) => {
      await disk.makeFolder(beside);
      await fill(beside);
      await disk.syncFolder(beside);
      await disk.rename(beside, path);
    });
    await disk.syncFolder(folder);
  } catch (error) {
    throw new CheckpointError('not-saved', `${path} could not be saved: ${reasonOf(error)}`, path, error);
  }
  await rotate(disk, path, step, keep);
  return path;
}

async function inTemporary(disk: Disk, beside: string, make: (beside: string) => Promise<void>): Promise<void> {
  inUse.add(beside);
  try {
    await make(beside);
  } catch (error) {
    await disk.remove(beside).catch(() => undefined); // the reason why it failed is the one to tell
    throw error;
  } finally {
    inUse.delete(beside);
  }
}

/**
 * Removes what is older than the newest `keep`, of which the one at `path` is the first: it has just been written and is
 * whole. Later steps, of a run that went back, are somebody else's to remove.
 */
async function rotate(disk: Disk, path: string, step: number, keep: number): Promise<void> {
  const folder = dirname(path);
  const older = checkpointsAmong(await disk.list(folder)).filter(
    (other) => other.step <= step && join(folder, other.name) !== path,
  );
  const repeated = older.filter((other) => other.step === step);
  const beyond = older.filter((other) => other.step < step).slice(keep - 1);
  for (const { name } of [...repeated, ...beyond]) {
    try {
      // First it loses its name, so that it is never seen in part.
      const beside = join(folder, temporaryName(name));
      await inTemporary(disk, beside, async () => {
        await disk.rename(join(folder, name), beside);
        await disk.remove(beside);
      });
    } catch (error) {
      process.emitWarning(`${join(folder, name)} could not be removed: ${reasonOf(error)}`, 'CheckpointWarning');
    }
  }
}
