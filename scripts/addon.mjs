// The addon for this machine: node-gyp builds it from binding.gyp, and a clone loads it from there.
import { copyFileSync, existsSync, mkdirSync, readFileSync, realpathSync, renameSync, utimesSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { builtAddon, fingerprint, isFresh, listFiles, run, writeFile } from './files.mjs';

const stamp = 'build/addon.stamp';

export function buildAddon() {
  const inputs = fingerprintOfInputs();
  if (existsSync(builtAddon) && isFresh(stamp, inputs)) {
    // A file that was only touched makes nothing stale; built-addon.cjs goes by dates.
    utimesSync(stamp, new Date(), new Date());
    return;
  }
  console.log('gradstep: building the addon');
  // The compiler's lines on standard output are left out; its warnings and errors come through.
  run(process.execPath, nodeGyp(), { stdio: ['ignore', 'ignore', 'inherit'] });
  writeFile(stamp, inputs);
}

/** Puts an addon that another build made for this machine from the present sources where node-gyp's would be. */
export function installAddon(built) {
  mkdirSync(dirname(builtAddon), { recursive: true });
  // Renamed into place: a process that has the old one loaded goes on with it.
  copyFileSync(built, `${builtAddon}.new`);
  renameSync(`${builtAddon}.new`, builtAddon);
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
