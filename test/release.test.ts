import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const root = dirname(require.resolve('gradstep/package.json'));
const today = new Date().toISOString().slice(0, 10);

describe('a release', function () {
  this.timeout(60_000);
  let folder: string;

  const read = (file: string): string => readFileSync(join(folder, file), 'utf8');
  const write = (file: string, text: string): void => writeFileSync(join(folder, file), text);
  const run = (command: string, ...args: string[]): { status: number | null; output: string } => {
    const env = { ...process.env, GIT_CONFIG_GLOBAL: join(folder, '.gitconfig') };
    const { status, stdout, stderr } = spawnSync(command, args, { cwd: folder, env, encoding: 'utf8', shell: true });
    return { status, output: `${stdout}${stderr}` };
  };
  const release = (): { status: number | null; output: string } => run('node', 'scripts/release.mjs');

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'gradstep-'));
    cpSync(join(root, 'scripts'), join(folder, 'scripts'), { recursive: true });
    mkdirSync(join(folder, 'native', 'binding'), { recursive: true });
    cpSync(join(root, 'native', 'binding', 'version.h'), join(folder, 'native', 'binding', 'version.h'));
    const { name, scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<string, object>;
    write('package.json', JSON.stringify({ name, version: '0.1.0', private: true, scripts }));
    write('CHANGELOG.md', '# Changelog\n\n## Unreleased\n\n- faster\n\n## 0.1.0\n\nThe first.\n');
    write('.gitconfig', '[user]\n  name = Tester\n  email = tester@example.org\n[init]\n  defaultBranch = main\n');
    write('.gitignore', '.gitconfig\n');
    for (const args of [
      ['init', '-q'],
      ['add', '.'],
      ['commit', '-qm', 'start'],
    ])
      run('git', ...args);
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('gets its version in all places, a date, a commit and a tag by npm version', () => {
    expect(run('npm', 'version', 'minor')).to.include({ status: 0 });
    expect(read('CHANGELOG.md')).to.equal(`# Changelog\n\n## 0.2.0 (${today})\n\n- faster\n\n## 0.1.0\n\nThe first.\n`);
    expect(read('native/binding/version.h')).to.include('kVersion = "0.2.0"');
    expect(run('git', 'status', '--porcelain').output).to.equal('');
    expect(run('git', 'tag', '--points-at', 'HEAD').output).to.equal('v0.2.0\n');
  });

  it('is none without changes to tell of', () => {
    write('CHANGELOG.md', '# Changelog\n\n## Unreleased\n\n## 0.1.0\n');
    run('git', 'commit', '-qam', 'nothing');
    const { status, output } = run('npm', 'version', 'minor');
    expect(status).not.to.equal(0);
    expect(output).to.include('no release: CHANGELOG.md has nothing under "## Unreleased"');
  });

  it('is none with changes that are not committed, without its tag or its date', () => {
    write('new.txt', '');
    expect(release().output).to.include('changes that are not committed');
    run('git', 'add', '.');
    run('git', 'commit', '-qm', 'new');
    expect(release().output).to.include('v0.1.0 is not the tag of this commit');
    run('git', 'tag', 'v0.1.0');
    const { status, output } = release();
    expect(output).to.include('CHANGELOG.md has no dated section "## 0.1.0 (...)"');
    expect(status).to.equal(1);
  });
});
