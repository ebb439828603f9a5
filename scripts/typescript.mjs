// The TypeScript: lib to dist/; test, bench and examples to build/ts/; then the ESM entry of the package.
import { existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, relative } from 'node:path';
import { buildSync } from 'esbuild';
import { fingerprint, isFresh, listFiles, packageJson, root, run, targets, writeFile } from './files.mjs';

export const stamp = 'build/ts/stamp';
/** What takes the place of files in dist/ when the package is packed. */
export const releaseFolder = 'build/release/dist';
/** What can be imported. The bundle of each entry shares nothing with others but the addon, if it needs that; one that asks for
 * `gradstep` by its name has its classes. */
const entries = [
  { source: 'index', bundle: 'core', file: 'gradstep', esm: 'index' },
  { source: 'tfjs/index', bundle: 'core-tfjs', file: 'gradstep-tfjs', esm: 'gradstep-tfjs' },
  { source: 'parallel/index', bundle: 'core-parallel', file: 'gradstep-parallel', esm: 'gradstep-parallel' },
  // Needs no addon, so that the bundle is the entry.
  {
    source: 'safetensors/index',
    bundle: 'gradstep-safetensors',
    file: 'gradstep-safetensors',
    esm: 'gradstep-safetensors',
  },
  // These take the library, and the reader of files, by name, so that they have their classes and their turns.
  {
    source: 'checkpoint/index',
    bundle: 'gradstep-checkpoint',
    file: 'gradstep-checkpoint',
    esm: 'gradstep-checkpoint',
  },
  { source: 'layers/index', bundle: 'gradstep-layers', file: 'gradstep-layers', esm: 'gradstep-layers' },
  {
    source: 'tensorboard/index',
    bundle: 'core-tensorboard',
    file: 'gradstep-tensorboard',
    esm: 'gradstep-tensorboard',
  },
  {
    source: 'metrics/index',
    bundle: 'core-metrics',
    file: 'gradstep-metrics',
    esm: 'gradstep-metrics',
  },
  { source: 'mpi/index', bundle: 'core-mpi', file: 'gradstep-mpi', esm: 'gradstep-mpi' },
];
/** Modules that browsers get as they are: tsc only checks them. */
const page = 'examples/server/page';
const outputs = { lib: 'dist', test: 'build/ts/test', bench: 'build/ts/bench', examples: 'build/ts/examples' };

export function buildTypeScript() {
  const inputs = fingerprintOfInputs();
  if (entries.every(({ esm }) => existsSync(`dist/${esm}.mjs`)) && isFresh(stamp, inputs)) return;
  console.log('gradstep: compiling the TypeScript');
  linkLibrary();
  for (const [source, output] of Object.entries(outputs)) removeOrphans(source, output);
  for (const { source, esm } of entries) writeFile(`dist/${esm}.d.mts`, `export * from './${source}.js';\n`);
  run(process.execPath, ['node_modules/typescript/bin/tsc', '-b']);
  bundleLibrary('dist', { release: false });
  bundleLibrary(releaseFolder, { release: true });
  for (const entry of entries) writeEsmEntry(entry);
  writeFile(stamp, inputs);
}

function fingerprintOfInputs() {
  const sources = Object.keys(outputs).flatMap((folder) => listFiles(folder, ['.ts', '.json']));
  return fingerprint([
    'scripts/typescript.mjs',
    'tsconfig.base.json',
    'tsconfig.json',
    'package.json',
    'package-lock.json',
    ...listFiles(page, ['.js']),
    ...sources,
  ]);
}

/** `../lib/native` in a compiled test means dist/native.js, which shares the addon with the bundle. */
function linkLibrary() {
  mkdirSync('build/ts', { recursive: true });
  mkdirSync('dist', { recursive: true });
  if (!existsSync('build/ts/lib')) symlinkSync('../../dist', 'build/ts/lib', 'junction');
}

/** Removes what was compiled from a file that is gone: a deleted test must not go on running. */
function removeOrphans(source, output) {
  for (const file of listFiles(output, ['.js', '.js.map', '.d.ts'])) {
    const name = relative(output, file).replace(/\.(js|js\.map|d\.ts)$/, '');
    if (!existsSync(join(source, `${name}.ts`))) rmSync(file);
  }
}

/**
 * What the package runs: the library (`core`) in one file in place of a hundred, made from the sources, so that all
 * modules share one scope. Those that tsc writes would each stay a function that V8 reads twice. Loading takes a half of
 * what it does with them in one file, a fifth of with all. Apart from it, as each entry loads its binary first: what
 * does so, and what says why it failed.
 *
 * A clone loads the addon that was built there; what is published (`release`) knows nothing of clones.
 */
export function bundleLibrary(folder, { release }) {
  const options = {
    outdir: folder,
    bundle: true,
    external: [
      'gradstep',
      'gradstep/safetensors',
      'gradstep/parallel',
      './core',
      './loader/addon',
      './failure',
      '../prebuilds/*',
      '../../package.json',
      '../../scripts/*',
    ],
    define: release ? { RELEASE: JSON.stringify(packageJson().version) } : {},
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    sourcemap: !release,
    sourcesContent: false,
    logLevel: 'warning',
    allowOverwrite: true,
  };
  const { outputFiles } = buildSync({
    ...options,
    entryPoints: Object.fromEntries(entries.map(({ source, bundle }) => [bundle, `lib/${source}.ts`])),
    minifyWhitespace: true,
    minifySyntax: true,
    lineLimit: 200, // Node shows the whole line of an error that nobody catches
    write: false,
  });
  for (const { path, text } of outputFiles) writeFile(path, path.endsWith('.js') ? withClassNames(text) : text);
  // The others keep their lines: Node shows the one that threw, and what follows `require`s understands plain conditions
  // best. Of minification they get only what removes the way to a clone.
  const others = ['loader/addon', 'loader/failure'];
  buildSync({ ...options, entryPoints: others.map((name) => `lib/${name}.ts`), outbase: 'lib', minifySyntax: true });
  buildSync({ ...options, entryPoints: ['lib/gradstep.ts'] });
  writeFile(join(folder, 'gradstep-tfjs.js'), tfjsEntry);
  for (const name of ['parallel', 'tensorboard', 'metrics', 'mpi']) {
    writeFile(join(folder, `gradstep-${name}.js`), entryByName(name));
  }
  writeFile(join(folder, 'browser.js'), browserEntry);
  for (const target of targets) writeFile(join(folder, `${target}.js`), entryFor(target));
}

/** The entry `gradstep/tfjs`: the first entry has the binary. */
const tfjsEntry = `'use strict';
require('./gradstep');
module.exports = require('./core-tfjs');
`;

/** An entry of the library by its name, which has the binary and the classes. */
const entryByName = (name) => `'use strict';
require('gradstep');
module.exports = require('./core-${name}');
`;

/** What bundlers take for browsers. */
const browserEntry = `'use strict';
throw new Error(
  'gradstep/tfjs runs native code, which browsers do not: train in Node, Bun, Deno or Electron, and load the saved model here',
);
`;

/** The entry `gradstep/<target>`, for those who bundle one binary. */
function entryFor(target) {
  return `'use strict';
require('./loader/addon').entry.source = () => require('../prebuilds/${target}.node');
module.exports = require('./core');
`;
}

/**
 * A class that mentions itself is `_Tensor` to esbuild, and messages would show that. (Its own `keepNames` takes a tenth
 * of the time to load.) A blank makes up for the character, as the source map counts them.
 */
function withClassNames(code) {
  const renamed = new Set([...code.matchAll(/\bclass _(\w+)/g)].map(([, name]) => name));
  return code.replace(/\b_(\w+)/g, (whole, name) => (renamed.has(name) ? `${name} ` : whole));
}

/** `import` gets the names of the one CommonJS instance, so that mixing it with `require` shares all state. */
function writeEsmEntry({ file, esm }) {
  const names = Object.keys(createRequire(import.meta.url)(join(root, 'dist', `${file}.js`)));
  writeFile(
    `dist/${esm}.mjs`,
    `import library from './${file}.js';\nexport const { ${names.join(', ')} } = library;\n`,
  );
}
