// The entry of the package: it chooses the binary. The paths are literal and the conditions plain, so that bundlers and
// tracers follow them; nothing looks whether a file is there before it is loaded.
import { join } from 'node:path';
import { entry } from './loader/addon';
import { isCutShort, usesMusl } from './loader/elf';

/* eslint-disable @typescript-eslint/no-require-imports -- an addon can be loaded in no other way */
function prebuilt(isMusl: boolean): unknown {
  if (process.platform === 'linux') {
    if (process.arch === 'x64') {
      if (isMusl) return require('../prebuilds/linuxmusl-x64.node');
      return require('../prebuilds/linux-x64.node');
    }
    if (process.arch === 'arm64') {
      if (isMusl) return require('../prebuilds/linuxmusl-arm64.node');
      return require('../prebuilds/linux-arm64.node');
    }
  }
  if (process.platform === 'darwin') {
    if (process.arch === 'x64') return require('../prebuilds/darwin-x64.node');
    if (process.arch === 'arm64') return require('../prebuilds/darwin-arm64.node');
  }
  if (process.platform === 'win32') {
    if (process.arch === 'x64') return require('../prebuilds/win32-x64.node');
    if (process.arch === 'arm64') return require('../prebuilds/win32-arm64.node');
  }
  return undefined;
}

function prebuiltForLinux(): unknown {
  const isMusl = usesMusl();
  refuseCutShort(isMusl);
  try {
    return prebuilt(isMusl);
  } catch (error) {
    try {
      return prebuilt(!isMusl);
    } catch {
      throw error;
    }
  }
}

/** In a bundle the files lie elsewhere, and there may be no `__dirname`: it does without. */
function refuseCutShort(isMusl: boolean): void {
  if (typeof __dirname !== 'string') return;
  const file = join(__dirname, '..', 'prebuilds', `${isMusl ? 'linuxmusl' : 'linux'}-${process.arch}.node`);
  if (isCutShort(file)) throw new Error(`the end is missing of ${file}`);
}

entry.source = () => (process.platform === 'linux' ? prebuiltForLinux() : prebuilt(false));

module.exports = require('./core') as unknown;
