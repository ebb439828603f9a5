// The entry of the package: it chooses the binary. The paths are literal and the conditions plain, so that bundlers and
// tracers follow them; nothing looks whether a file is there before it is loaded.
import { entry } from './loader/addon';
import { usesMusl } from './loader/libc';

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

entry.source = () => {
  if (process.platform !== 'linux') return prebuilt(false);
  const isMusl = usesMusl();
  try {
    return prebuilt(isMusl);
  } catch (error) {
    try {
      return prebuilt(!isMusl);
    } catch {
      throw error;
    }
  }
};

module.exports = require('./core') as unknown;
