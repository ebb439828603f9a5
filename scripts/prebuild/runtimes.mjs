// The systems on which the binaries are tried, as far as one Debian machine can be them: programs of npm's packages, under
// an emulator, another C library or Wine where they are not at home.
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { run, writeFile } from '../files.mjs';
import { llvm } from './targets.mjs';
import { needDebian, needPackage } from './toolchain.mjs';

const folder = 'build/runtimes';

const node = (platform, version, integrity) => ({
  name: `node-${platform}`,
  version,
  integrity,
  folder: `package/bin/node${platform.startsWith('win') ? '.exe' : ''}`,
});

const programs = {
  node20: node(
    'linux-x64',
    '20.20.2',
    'sha512-PeHQM8wAdmHtZA1mBocygZxs5LiUWtsJezQTkBd0iY987KpGrD1O2tVEydvMZiuXceRanxt7rjTnDEBwOPujoQ==',
  ),
  node22: node(
    'linux-x64',
    '22.22.2',
    'sha512-LN7oM9lA/uOjnsvlv5lPYIBPGuFIiYckZhBcEVhHw2YNsm9SDC2ncBlJWGbUtuwMfxAr1xjOG+uEY7bEfV1VyQ==',
  ),
  node24: node(
    'linux-x64',
    '24.21.0',
    'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
  ),
  node26: node(
    'linux-x64',
    '26.10.0',
    'sha512-OmAztarr1gK4PD+sNyoku4N5Q40d8eqMuLjNa/zRvxF33aCsVKVIQLs4V5HYPWSWWlMiTdkmbZE/6Phigma0hw==',
  ),
  nodeArm64: node(
    'linux-arm64',
    '20.20.2',
    'sha512-LCXJnNTFiyGuYBw2gZSI5OBFMbkjAPt8sqD/NKrWoE2QmDgSubTqFng6GaNJ9EJ8HpxBMGcWWpbbcs4Vo+CnGg==',
  ),
  nodeWin20: node(
    'win-x64',
    '20.20.2',
    'sha512-JCwLL25UBIyiXLXUN6dfb/AMZTBtV5LUugV+DpurEn3uAM/GKm7Z/rgR4aV5Z76UHSbzK4n43ox6GTvsOAoNxA==',
  ),
  nodeWin22: node(
    'win-x64',
    '22.23.3',
    'sha512-lJNBVsNw5Zf+VEHAwatmQxF8eY5hHVEd1ufVYn+5XVrSNB0x55V1cd/rJyOeElCnY2cRebGq//siePEGRZKYjg==',
  ),
  bun: {
    name: '@oven/bun-linux-x64',
    version: '1.4.5',
    integrity: 'sha512-IWX9BELoGHAUtMonkeSaNaZwXzRk+oDw6Mk+HBFXd3KHYIBNBsIGRupMZPcgNoDbJpLu6gAJjIoIVPZtt1aJ1g==',
    folder: 'package/bin/bun',
  },
  bunMusl: {
    name: '@oven/bun-linux-x64-musl',
    version: '1.4.5',
    integrity: 'sha512-10QoW/YfTgnURaGEaHpJCiXjLI2e5iTtfVDaA5JKcyUzaa1cq6cVUY9/Uq5XkYzvtRjHLRe9Oj/lTDIQcxy8HQ==',
    folder: 'package/bin/bun',
  },
  deno: {
    name: '@deno/linux-x64-glibc',
    version: '2.9.6',
    integrity: 'sha512-3md4TKLCuzsLDmfOoC5KN7NAZaxSVkMgm64vg6foD00JBADCpYS2/5QqXfzgnP5ZQz3iLP9vBQJtEgc116OAoQ==',
    folder: 'package/deno',
  },
};

/**
 * By name: the target that runs there, how to get ready (which gives the command and its environment), and which tests:
 * `suite`, or `short` where neither it nor `full` is asked for, or none where that is long. Some wait to be asked for.
 */
export const runtimes = {
  'node-20': { target: 'linux-x64', prepare: () => program('node20'), suite: 'whole', short: 'binding' },
  'node-22': { target: 'linux-x64', prepare: () => program('node22'), suite: 'binding', waits: true },
  'node-24': { target: 'linux-x64', prepare: () => program('node24'), suite: 'binding', waits: true },
  'node-26': { target: 'linux-x64', prepare: () => program('node26'), suite: 'binding' },
  // Left out is a test that looks for the dynamic linker where it is in a program that nobody has changed.
  'glibc-2.31': {
    target: 'linux-x64',
    prepare: oldGlibc,
    suite: 'whole',
    isLong: true,
    except: 'dynamic linker of musl',
  },
  bun: { target: 'linux-x64', prepare: () => program('bun') },
  deno: { target: 'linux-x64', prepare: () => program('deno', ['run', '-A']) },
  musl: { target: 'linuxmusl-x64', prepare: bunOnMusl },
  arm64: { target: 'linux-arm64', prepare: nodeOnArm64, suite: 'binding', isEmulated: true, waits: true },
  'windows-20': { target: 'win32-x64', prepare: () => nodeOnWine('nodeWin20'), suite: 'library', isLong: true },
  'windows-22': { target: 'win32-x64', prepare: () => nodeOnWine('nodeWin22'), suite: 'binding', waits: true },
};

function program(name, args = []) {
  const file = resolve(needPackage(programs[name]));
  chmodSync(file, 0o755);
  return { command: [file, ...args], env: {} };
}

function nodeOnArm64() {
  needDebian(['qemu-user-static', 'libc6-arm64-cross', 'libstdc++6-arm64-cross']);
  return { command: ['qemu-aarch64-static', '-L', '/usr/aarch64-linux-gnu', ...program('nodeArm64').command], env: {} };
}

/** Node 20 with the C library of Debian 11. Its interpreter is changed in a copy, so that programs it starts run there too. */
function oldGlibc() {
  needDebian(['patchelf']);
  const root = resolve(folder, 'bullseye');
  const copy = join(root, 'node');
  if (!existsSync(copy)) {
    for (const file of downloadOld(['libc6', 'libstdc++6', 'libgcc-s1'])) run('dpkg-deb', ['-x', file, root]);
    const libraries = join(root, 'lib/x86_64-linux-gnu');
    copyFileSync(program('node20').command[0], `${copy}.new`);
    const paths = [libraries, join(root, 'usr/lib/x86_64-linux-gnu')].join(':');
    run('patchelf', [
      '--set-interpreter',
      join(libraries, 'ld-2.31.so'),
      '--force-rpath',
      '--set-rpath',
      paths,
      `${copy}.new`,
    ]);
    run('mv', [`${copy}.new`, copy]);
  }
  return { command: [copy], env: {} };
}

/** Packages of Debian 11, from wherever this machine has those of its own, without a trace in its lists of packages. */
function downloadOld(names) {
  const place = resolve(folder, 'apt');
  mkdirSync(join(place, 'lists/partial'), { recursive: true });
  mkdirSync(join(place, 'cache/archives/partial'), { recursive: true });
  const sites = spawnSync('apt-get', ['indextargets', '--format', '$(SITE)', 'Created-By: Packages'], {
    encoding: 'utf8',
  });
  const site = sites.stdout.split('\n').find((line) => line !== '' && !line.includes('security'));
  writeFile(join(place, 'sources.list'), `deb ${site} bullseye main\n`);
  const options = [
    ['Dir::Etc::sourcelist', join(place, 'sources.list')],
    ['Dir::Etc::sourceparts', '-'],
    ['Dir::State::lists', join(place, 'lists')],
    ['Dir::State::status', '/dev/null'], // or what is installed would be preferred
    ['Dir::Cache', join(place, 'cache')],
    ['APT::Sandbox::User', 'root'],
  ].flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  run('apt-get', [...options, '-qq', 'update'], { stdio: ['ignore', 'ignore', 'inherit'] });
  run('apt-get', [...options, '-qq', 'download', ...names], { cwd: place, stdio: ['ignore', 'ignore', 'inherit'] });
  return readdirSync(place)
    .filter((file) => file.endsWith('.deb'))
    .map((file) => join(place, file));
}

/** Bun for musl with Debian's musl. It wants libstdc++, which Debian has for its own C library: one is made of its parts. */
function bunOnMusl() {
  needDebian(['musl', 'g++', `clang-${llvm}`]);
  const place = resolve(folder, 'musl');
  const library = join(place, 'libstdc++.so.6');
  if (!existsSync(library)) {
    const parts = ['libstdc++.a', 'libgcc_eh.a', 'libgcc.a'].map((name) => {
      const found = spawnSync('g++', [`-print-file-name=${name}`], { encoding: 'utf8' });
      return found.stdout.trim();
    });
    mkdirSync(place, { recursive: true });
    run('gcc', [
      '-shared',
      '-fPIC',
      '-nostdlib',
      '-Wl,-soname,libstdc++.so.6',
      '-o',
      library,
      '-Wl,--whole-archive',
      parts[0],
      '-Wl,--no-whole-archive',
      'scripts/prebuild/runtime/glibc_on_musl.c',
      ...parts.slice(1),
    ]);
  }
  return { command: ['/lib/ld-musl-x86_64.so.1', ...program('bunMusl').command], env: { LD_LIBRARY_PATH: place } };
}

/** Wine behaves as Windows 10, which Node asks for. */
function nodeOnWine(name) {
  needDebian(['wine64']);
  const wine = '/usr/lib/wine/wine64';
  const env = {
    WINEPREFIX: resolve(folder, 'wine'),
    WINEDEBUG: '-all',
    NODE_OPTIONS: `--require=${resolve('scripts/prebuild/without-links.cjs')}`,
  };
  const quiet = { env: { ...process.env, ...env }, stdio: 'ignore' };
  if (!existsSync(env.WINEPREFIX)) {
    spawnSync(wine, ['wineboot', '-i'], quiet);
    run(wine, ['reg', 'add', 'HKCU\\Software\\Wine', '/v', 'Version', '/d', 'win10', '/f'], quiet);
  }
  return { command: [wine, ...program(name).command], env };
}
