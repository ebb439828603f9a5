// What the tests of the package share: the tarball, folders to use it in, the tools of others.
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { builtAddon, root, targets } from '../../scripts/files.mjs';

const folder = join(root, 'build/package');
const isMusl = process.platform === 'linux' && !process.report.getReport().header.glibcVersionRuntime;
/** What the package has a binary for on this machine. */
export const target = `${process.platform}${isMusl ? 'musl' : ''}-${process.arch}`;

/** A program that makes one step, as an ES module and in CommonJS, and what it prints. */
const step = `
const v = variable([1, 2]);
new GradientDescentOptimizer({ learningRate: 0.5 }).applyGradients([[new Float32Array([1, -1]), v]]);
console.log('stepped to ' + v.data.join());
`;
export const program = {
  'main.mjs': `import { GradientDescentOptimizer, variable } from 'gradstep';\n${step}`,
  'main.cjs': `const { GradientDescentOptimizer, variable } = require('gradstep');\n${step}`,
};
export const stepped = 'stepped to 0.5,2.5';

/** The package as npm packs it, made once. Where a target was not built, something that is no binary takes its place. */
export function tarball() {
  const file = join(folder, 'gradstep.tgz');
  if (tarball.isMade) return file;
  rmSync(join(folder, 'tarball'), { recursive: true, force: true });
  mkdirSync(join(folder, 'tarball'), { recursive: true });
  const said = execFileSync('npm', ['pack', '--silent', '--pack-destination', folder], { encoding: 'utf8' });
  const packed = said.trim().split('\n').at(-1); // What the scripts say comes before it.
  execFileSync('tar', ['-xzf', join(folder, packed), '-C', join(folder, 'tarball')]);
  const prebuilds = join(folder, 'tarball/package/prebuilds');
  mkdirSync(prebuilds, { recursive: true });
  for (const name of targets) {
    const binary = join(prebuilds, `${name}.node`);
    if (existsSync(binary)) continue;
    if (name === target) cpSync(builtAddon, binary);
    else writeFileSync(binary, 'not built');
  }
  execFileSync('tar', ['-czf', file, '-C', join(folder, 'tarball'), 'package']);
  tarball.isMade = true;
  return file;
}

/**
 * Programs of others, of these very versions, for a group of tests: packages of npm, none of whose scripts runs. They
 * lie above the group's projects, where Node looks for packages last.
 */
export function install(group, packages) {
  const home = join(folder, group);
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, 'package.json'), '{}');
  npm(home, 'install', '--ignore-scripts', '--no-package-lock', ...packages);
}

/** A fresh folder with these files, an object for each of JSON, beside the tools of the group. */
export function project(group, name, files = {}) {
  const place = join(folder, group, 'projects', name.replaceAll(/\W+/g, '-'));
  rmSync(place, { recursive: true, force: true });
  mkdirSync(place, { recursive: true });
  write(place, { 'package.json': { name: 'app', version: '1.0.0', private: true }, ...files });
  return place;
}

export function write(place, files) {
  for (const [name, contents] of Object.entries(files)) {
    mkdirSync(dirname(join(place, name)), { recursive: true });
    writeFileSync(join(place, name), typeof contents === 'string' ? contents : JSON.stringify(contents, null, 2));
  }
}

/** Lets npm put the packed library into a folder, from the tarball alone. */
export function addLibrary(place) {
  npm(place, 'install', '--ignore-scripts', '--offline', tarball());
}

export function npm(place, ...args) {
  execFileSync('npm', [...args, '--no-audit', '--no-fund', '--silent'], { cwd: place, stdio: 'inherit' });
}

const emptyFolders = [];
process.once('exit', () => {
  for (const place of emptyFolders) rmSync(place, { recursive: true, force: true });
});

/** An empty folder far from any package; it is removed in the end. */
export function emptyFolder() {
  emptyFolders.push(realpathSync(mkdtempSync(join(tmpdir(), 'gradstep-'))));
  return emptyFolders.at(-1);
}

/** Takes one folder of a project away from it, to one that is empty otherwise, and removes the project. */
export function moved(place, name) {
  const away = emptyFolder();
  cpSync(join(place, name), join(away, name), { recursive: true, verbatimSymlinks: true });
  rmSync(place, { recursive: true });
  return away;
}

/** Runs a command line or a program with arguments in a folder, its group's tools at hand. @returns all that it wrote. */
export function run(place, command, { fails = false, env = {} } = {}) {
  const tools = [place, dirname(dirname(place))].map((above) => join(above, 'node_modules/.bin'));
  const [file, ...args] = Array.isArray(command) ? command : ['sh', '-ec', command];
  const { status, stdout, stderr, error } = spawnSync(file, args, {
    cwd: place,
    env: { ...process.env, PATH: [...tools, process.env.PATH].join(delimiter), ...env },
    encoding: 'utf8',
    timeout: 300_000,
  });
  const output = `${stdout}${stderr}`;
  if (error) throw error;
  if ((status !== 0) !== fails) throw new Error(`${[command].flat().join(' ')}\nended with ${status}:\n${output}`);
  return output;
}

export function expectMatch(text, pattern) {
  if (!pattern.test(text)) throw new Error(`expected ${pattern} in:\n${text}`);
}

export function expectNoMatch(text, pattern) {
  if (pattern.test(text)) throw new Error(`expected no ${pattern} in:\n${text}`);
}

export function expectSame(text, expected) {
  if (text.trim() !== expected) throw new Error(`expected nothing but\n${expected}\ngot\n${text}`);
}
