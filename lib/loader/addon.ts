import { resolve } from 'node:path';
import { isCutShort } from './elf';
import type * as failures from './failure';

/* eslint-disable @typescript-eslint/no-require-imports -- read when needed, some of it in a clone only */
export const version: string =
  typeof RELEASE === 'undefined' ? (require('../../package.json') as { version: string }).version : RELEASE;

/** Loads the binary, or returns undefined where there is none for this system. */
export type Source = () => unknown;

/** Each entry of the package puts its source here before it reads the library; all share what the first one loaded. */
export const entry: { source: Source } = { source: () => undefined };

/** The binary: the file that GRADSTEP_BINARY names, or in a clone what was built there, or what the entry brings. */
export function open(): unknown {
  const file = process.env['GRADSTEP_BINARY'] || builtInClone();
  try {
    const addon = file ? openFile(file) : entry.source();
    if (addon === undefined) throw new Error('there is no binary for this system');
    checkVersion(addon);
    return addon;
  } catch (error) {
    // What is wrong with a setting of ours is said by the binary, which did load.
    if (error instanceof Error && error.message.startsWith('GRADSTEP_')) throw error;
    throw (require('./failure') as typeof failures).failure(error, file);
  }
}

/** Not by `require`: single executables have one that knows Node's own modules only. */
function openFile(file: string): unknown {
  if (isCutShort(file)) throw new Error(`the end is missing of ${file}`);
  const module = { exports: {} };
  process.dlopen(module, resolve(file));
  return module.exports;
}

function builtInClone(): string | undefined {
  if (typeof RELEASE !== 'undefined') return undefined;
  return (require('../../scripts/built-addon.cjs') as () => string | undefined)();
}

function checkVersion(addon: unknown): void {
  const { version: own } = addon as { version?: string };
  if (own === version) return;
  const other = own === undefined ? 'an unknown version' : `gradstep ${own}`;
  throw new Error(`the binary is of ${other}, and this is gradstep ${version}`);
}
