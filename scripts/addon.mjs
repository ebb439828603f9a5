// The addon: node-gyp builds it from binding.gyp, then it is copied to where lib/native.ts loads it.
import { copyFileSync, existsSync, mkdirSync, readFileSync, realpathSync, renameSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fingerprint, isFresh, listFiles, prebuilt, run, writeFile } from './files.mjs';

const stamp = 'build/addon.stamp';

export function buildAddon() {
  const inputs = fingerprintOfInputs();
  if (existsSync(prebuilt()) && isFresh(stamp, inputs)) return;
  console.log('gradstep: building the addon');
  // The compiler's lines on standard output are left out; its warnings and errors come through.
  run(process.execPath, nodeGyp(), { stdio: ['ignore', 'ignore', 'inherit'] });
  installAddon('build/Release/gradstep.node');
}

/** Puts an addon that was built for this machine from the present sources where the library finds it. */
export function installAddon(built) {
  mkdirSync(dirname(prebuilt()), { recursive: true });
  // Renamed into place: a process that has the old one loaded goes on with it.
  copyFileSync(built, `${prebuilt()}.new`);
  renameSync(`${prebuilt()}.new`, prebuilt());
  writeFile(stamp, fingerprintOfInputs());
}

function fingerprintOfInputs() {
  const sources = listFiles('native', ['.cpp', '.h', '.gypi']).filter(
    (file) => !file.startsWith(join('native', 'test')),
  );
  const { version } = JSON.parse(readFileSync('node_modules/node-addon-api/package.json', 'utf8'));
  const flags = ['CXX', 'CXXFLAGS', 'CFLAGS', 'LDFLAGS'].map((name) => process.env[name] ?? '');
  const node = process.versions.node.split('.')[0];
  return fingerprint(['binding.gyp', ...sources], [version, ...flags, node, process.platform, process.arch]);
}

function nodeGyp() {
  const args = [
    'node_modules/node-gyp/bin/node-gyp.js',
    'configure',
    'build',
    '--loglevel=error',
    `--jobs=${availableParallelism()}`,
  ];
  const prefix = dirname(dirname(realpathSync(process.execPath)));
  // Headers that came with this Node spare node-gyp the download of others.
  const hasHeaders = existsSync(join(prefix, 'include/node/node_api.h'));
  return hasHeaders && !process.env.npm_config_nodedir ? [...args, `--nodedir=${prefix}`] : args;
}
