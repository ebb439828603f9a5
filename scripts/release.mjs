// A release is `npm version <patch|minor|major>`, which calls `stamp` before it commits and tags, then `npm run release`,
// which makes and checks all that is published and tries publishing without doing it.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageJson, run, targets } from './files.mjs';

const changelog = 'CHANGELOG.md';
const versionHeader = 'native/binding/version.h';
const atMost = 12_000_000; // bytes of the tarball
const { name, version } = packageJson();

if (process.argv[2] === 'stamp') stamp();
else rehearse();

/** Writes the new version wherever it stands: the changelog gets a dated section of what was unreleased. */
function stamp() {
  const text = readFileSync(changelog, 'utf8');
  const [, changes] = /^## Unreleased\n([^]*?)(?=^## |$(?![^]))/m.exec(text) ?? [];
  if (!changes?.trim()) refuse(`${changelog} has nothing under "## Unreleased"`);
  const day = new Date().toISOString().slice(0, 10);
  writeFileSync(changelog, text.replace('## Unreleased', `## ${version} (${day})`));
  const header = readFileSync(versionHeader, 'utf8');
  writeFileSync(versionHeader, header.replace(/kVersion = "[^"]*"/, `kVersion = "${version}"`));
  run('git', ['add', changelog, versionHeader]);
}

function rehearse() {
  if (git('status', '--porcelain') !== '') refuse('there are changes that are not committed');
  if (git('tag', '--points-at', 'HEAD', `v${version}`) === '') refuse(`v${version} is not the tag of this commit`);
  if (
    !new RegExp(`^## ${version.replaceAll('.', '\\.')} \\(\\d{4}-\\d\\d-\\d\\d\\)$`, 'm').test(
      readFileSync(changelog, 'utf8'),
    )
  ) {
    refuse(`${changelog} has no dated section "## ${version} (...)"`);
  }
  run('npm', ['run', 'check']);
  run('npm', ['test']);
  run('npm', ['run', 'prebuild']);
  run('npm', ['run', 'prebuild', '--', '--verify']);
  const missing = targets.filter((target) => !existsSync(`prebuilds/${target}.node`));
  if (missing.length > 0) refuse(`prebuilds/ has no ${missing.join(', ')}`);
  checkSize();
  run('npm', ['publish', '--dry-run', '--ignore-scripts=false', '--provenance=false']);
  console.log(`\nReady. git push --follow-tags starts the workflow that publishes ${name} ${version}.`);
}

function checkSize() {
  const folder = 'build/release';
  const packed = execFileSync('npm', ['pack', '--silent', '--pack-destination', folder], { encoding: 'utf8' });
  const { size } = statSync(join(folder, packed.trim().split('\n').at(-1)));
  console.log(`gradstep: the tarball has ${(size / 1e6).toFixed(2)} MB`);
  if (size > atMost) refuse(`the tarball has ${size} bytes, at most ${atMost} are promised`);
}

function git(...args) {
  return execFileSync('git', args, { encoding: 'utf8' }).trim();
}

function refuse(why) {
  console.error(`gradstep: no release: ${why}`);
  process.exit(1);
}
