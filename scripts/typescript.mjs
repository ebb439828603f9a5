// The TypeScript: lib to dist/; test, bench and examples to build/ts/; then the ESM entry of the package.
import { existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, relative } from 'node:path';
import { buildSync } from 'esbuild';
import { fingerprint, isFresh, listFiles, root, run, writeFile } from './files.mjs';

const stamp = 'build/ts/stamp';
/** What can be imported: the bundle of each entry, which shares nothing with others but the addon. */
const bundles = [
  { source: 'index', file: 'gradstep.js', esm: 'index' },
  { source: 'tfjs/index', file: 'gradstep-tfjs.js', esm: 'gradstep-tfjs' },
];
const outputs = { lib: 'dist', test: 'build/ts/test', bench: 'build/ts/bench', examples: 'build/ts/examples' };

export function buildTypeScript() {
  const inputs = fingerprintOfInputs();
  if (existsSync('dist/gradstep-tfjs.mjs') && isFresh(stamp, inputs)) return;
  console.log('gradstep: compiling the TypeScript');
  linkLibrary();
  for (const [source, output] of Object.entries(outputs)) removeOrphans(source, output);
  for (const { source, esm } of bundles) writeFile(`dist/${esm}.d.mts`, `export * from './${source}.js';\n`);
  run(process.execPath, ['node_modules/typescript/bin/tsc', '-b']);
  for (const bundle of bundles) {
    bundleLibrary(bundle);
    writeEsmEntry(bundle);
  }
  writeFile(stamp, inputs);
}

function fingerprintOfInputs() {
  const sources = Object.keys(outputs).flatMap((folder) => listFiles(folder, ['.ts', '.json']));
  return fingerprint([
    'scripts/typescript.mjs',
    'tsconfig.base.json',
    'tsconfig.json',
    'package-lock.json',
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
 * One file in place of a hundred, made from the sources: all modules share one scope. Those that tsc writes would each
 * stay a function that V8 reads twice. Loading takes a half of what it does with them in one file, a fifth of with all.
 */
function bundleLibrary({ source, file }) {
  const { outputFiles } = buildSync({
    entryPoints: [`lib/${source}.ts`],
    outfile: `dist/${file}`,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    minifyWhitespace: true,
    minifySyntax: true,
    sourcemap: true,
    sourcesContent: false,
    logLevel: 'warning',
    write: false,
  });
  for (const { path, text } of outputFiles) writeFile(path, path.endsWith('.js') ? withClassNames(text) : text);
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
  const names = Object.keys(createRequire(import.meta.url)(join(root, 'dist', file)));
  writeFile(`dist/${esm}.mjs`, `import library from './${file}';\nexport const { ${names.join(', ')} } = library;\n`);
}
