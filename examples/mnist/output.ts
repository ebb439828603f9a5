import { createHash } from 'node:crypto';
import { accessSync, constants, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure, reasonOf } from './failure';

/** Makes the folder. @throws Failure when nothing can be written there: better now than after the training. */
export function prepareFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
  } catch (error) {
    throw new Failure(`cannot write to ${folder}: ${reasonOf(error)}`);
  }
}

/** Writes a file and tells where, and the digest of its contents. */
export function writeOutput(folder: string, name: string, contents: Buffer | string): { path: string; sha256: string } {
  const path = join(folder, name);
  try {
    writeFileSync(path, contents);
  } catch (error) {
    throw new Failure(`cannot write ${path}: ${reasonOf(error)}`);
  }
  return { path, sha256: createHash('sha256').update(contents).digest('hex') };
}
