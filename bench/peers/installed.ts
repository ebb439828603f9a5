import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root, scratch, sources } from '../paths';

const folder = join(scratch, 'peers');
const lock = 'package-lock.json';
const mostMinutes = 5;

let isInstalled = false;

/**
 * Installs what bench/peers/package.json names, outside of the project's own node_modules: 300 MB that only the benches
 * and the tests of gradstep/tfjs need. Where that fails, as without a network, it says so, and those peers are left out.
 *
 * @returns whether they are there.
 */
export function installPeers(): boolean {
  isInstalled = install(join(sources, 'peers'), folder, 'the JavaScript peers (300 MB');
  return isInstalled;
}

/**
 * Installs what the lock file in a folder of sources names, unless that is there. @returns whether it is there then.
 *
 * @param what is said while it is installed, with an open bracket.
 */
export function install(from: string, to: string, what: string): boolean {
  const installed = join(to, 'node_modules', '.package-lock.json');
  const wanted = readFileSync(join(from, lock), 'utf8');
  const isThere =
    existsSync(installed) && existsSync(join(to, lock)) && readFileSync(join(to, lock), 'utf8') === wanted;
  if (isThere) return true;
  console.error(`installing ${what} in ${relative(root, to)}, once)`);
  mkdirSync(to, { recursive: true });
  copyFileSync(join(from, 'package.json'), join(to, 'package.json'));
  copyFileSync(join(from, lock), join(to, lock));
  const network = ['--prefer-offline', '--fetch-retries=1', '--fetch-timeout=20000'];
  const args = [
    'ci',
    '--no-audit',
    '--no-fund',
    '--silent',
    '--ignore-scripts',
    '--omit=peer',
    ...network,
    '--prefix',
    to,
  ];
  const options = { stdio: 'ignore', cwd: to, timeout: mostMinutes * 60e3 } as const;
  const isDone = spawnSync('npm', args, options).status === 0;
  if (!isDone) console.error('they cannot be installed: is there a network?');
  return isDone;
}

/** The module of a peer, or null where it is not installed. */
export async function importPeer(name: string): Promise<unknown> {
  if (!isInstalled) return null;
  const file = createRequire(join(folder, 'package.json')).resolve(name);
  return import(pathToFileURL(file).href);
}
