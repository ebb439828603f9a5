import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { scratch, sources } from '../paths';

const folder = join(scratch, 'peers');
const lock = 'package-lock.json';
const mostMinutes = 5;

let isInstalled = false;

/**
 * Installs what bench/peers/package.json names, outside of the project's own node_modules: 300 MB that only the benches
 * need. Where that fails, as without a network, it says so, and those peers are left out.
 */
export function installPeers(): void {
  const installed = join(folder, 'node_modules', '.package-lock.json');
  const wanted = readFileSync(join(sources, 'peers', lock), 'utf8');
  isInstalled =
    existsSync(installed) && existsSync(join(folder, lock)) && readFileSync(join(folder, lock), 'utf8') === wanted;
  if (isInstalled) return;
  console.error('installing the JavaScript peers (300 MB in build/bench/peers, once)');
  mkdirSync(folder, { recursive: true });
  copyFileSync(join(sources, 'peers', 'package.json'), join(folder, 'package.json'));
  copyFileSync(join(sources, 'peers', lock), join(folder, lock));
  const network = ['--prefer-offline', '--fetch-retries=1', '--fetch-timeout=20000'];
  const args = ['ci', '--no-audit', '--no-fund', '--silent', '--ignore-scripts', ...network, '--prefix', folder];
  const options = { stdio: 'ignore', cwd: folder, timeout: mostMinutes * 60e3 } as const;
  isInstalled = spawnSync('npm', args, options).status === 0;
  if (!isInstalled) console.error('they cannot be installed: is there a network?');
}

/** The module of a peer, or null where it is not installed. */
export async function importPeer(name: string): Promise<unknown> {
  if (!isInstalled) return null;
  const file = createRequire(join(folder, 'package.json')).resolve(name);
  return import(pathToFileURL(file).href);
}
