import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { CheckpointError } from './error';
import { loadManifest } from './load';
import { checkpointsAmong, type Named } from './names';
import { pathOf, type CheckpointPath } from './path';

/** A checkpoint in a folder. */
export interface CheckpointPlace {
  /** Its folder. */
  readonly path: string;
  readonly step: number;
}

/** Checkpoints by their names, the newest first; none where there is no folder. */
export async function listed(folder: string): Promise<(Named & CheckpointPlace)[]> {
  try {
    return checkpointsAmong(await readdir(folder)).map((named) => ({ ...named, path: join(folder, named.name) }));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/**
 * The newest checkpoint in a folder, of those that have a `state.json` that is whole and files of the lengths that it names.
 * Checksums of these are looked at by `restoreCheckpoint`, which reads all of them.
 *
 * @param folder as for `saveCheckpoint`.
 * @returns where it is; null where there is none.
 * @throws TypeError for what is no path; what the system says when it cannot read.
 * @example
 * import { latestCheckpoint } from 'gradstep/checkpoint';
 *
 * void latestCheckpoint('checkpoints').then((latest) => console.log(latest?.step));
 */
export async function latestCheckpoint(folder: CheckpointPath): Promise<CheckpointPlace | null> {
  for (const { path, step } of await listed(resolve(pathOf('folder', folder)))) {
    try {
      await loadManifest(path);
      return { path, step };
    } catch (error) {
      if (!(error instanceof CheckpointError && error.code === 'damaged')) throw error;
    }
  }
  return null;
}
