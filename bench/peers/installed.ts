import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { scratch, sources } from '../paths';

const folder = join(scratch, 'peers');
const lock = 'package-lock.json';

/**
 * Installs what bench/peers/package.json names, outside of the project's own node_modules: 300 MB that only the benches
 * need. Returns false where that fails, as without a network.
 */
function install(): boolean {
  const installed = join(folder, 'node_modules', '.package-lock.json');
  const wanted = readFileSync(join(sources, 'peers', lock), 'utf8');
  if (existsSync(installed) && existsSync(join(folder, lock)) && readFileSync(join(folder, lock), 'utf8') === wanted) {
    return true;
  }
  console.error('installing the JavaScript peers (300 MB in build/bench/peers, once)');
  mkdirSync(folder, { recursive: true });
  copyFileSync(join(sources, 'peers', 'package.json'), join(folder, 'package.json'));
  copyFileSync(join(sources, 'peers', lock), join(folder, lock));
  const args = ['ci', '--no-audit', '--no-fund', '--silent', '--ignore-scripts', '--prefix', folder];
  return spawnSync('npm', args, { stdio: ['ignore', 'ignore', 'inherit'], cwd: folder }).status === 0;
}

let isInstalled: boolean | undefined;

/** The module of a peer, or null where it cannot be installed. */
export async function importPeer(name: string): Promise<unknown> {
  isInstalled ??= install();
  if (!isInstalled) return null;
  const file = createRequire(join(folder, 'package.json')).resolve(name);
  return import(pathToFileURL(file).href);
}
