// What the other scripts share: where the project is, the names of its outputs, and when one of them is stale.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
process.chdir(root);

/** The paths of all files under `folder` whose name ends in one of `endings`, sorted. */
export function listFiles(folder, endings) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true })
    .filter((file) => !file.includes('node_modules') && endings.some((ending) => file.endsWith(ending)))
    .map((file) => join(folder, file))
    .sort();
}

/** One string that changes when the text of a file, its name or one of `words` does. */
export function fingerprint(files, words = []) {
  const hash = createHash('sha256').update(words.join('\n'));
  for (const file of files) hash.update(`\0${file}\0`).update(readFileSync(file));
  return hash.digest('hex');
}

/** The addon that is built for this machine, which a clone loads. */
export const builtAddon = 'build/Release/gradstep.node';

/** What the package has a binary for, as prebuilds/<target>.node; lib/gradstep.ts chooses among them. */
export const targets = ['linux', 'linuxmusl', 'darwin', 'win32'].flatMap((system) => [
  `${system}-x64`,
  `${system}-arm64`,
]);

export function packageJson() {
  return JSON.parse(readFileSync('package.json', 'utf8'));
}

/** Whether `stamp` was written for these very contents; a build that fails half-way leaves no new one. */
export function isFresh(stamp, contents) {
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === contents;
}

export function writeFile(file, contents) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, contents);
}

/** Runs a program in the foreground; this process ends with the program's exit code when that is not 0. */
export function run(command, args, options = {}) {
  const { status, signal, error } = spawnSync(command, args, { stdio: 'inherit', ...options });
  if (status === 0) return;
  if (error) console.error(`${command}: ${error.message}`);
  if (signal) console.error(`${command}: ended by ${signal}`);
  process.exit(status || 1);
}
