// `npm run test:package [name...]`: packs the package and uses it as others do: files and tests of test/package whose
// names hold one of these words; all of them without a word.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root, run } from './files.mjs';

const words = process.argv.slice(2);
const isChosen = (...names) => words.length === 0 || words.some((word) => names.some((name) => name.includes(word)));
const folder = join(root, 'test/package');

run(process.execPath, ['scripts/build.mjs']);
let passed = 0;
let failed = 0;
for (const file of readdirSync(folder).filter((name) => name !== 'kit.mjs')) {
  const group = file.replace('.mjs', '');
  const { tests, prepare } = await import(pathToFileURL(join(folder, file)).href);
  const chosen = Object.entries(tests).filter(([name]) => isChosen(group, name));
  if (chosen.length === 0) continue;
  console.log(`\n${group}`);
  prepare?.(chosen.map(([name]) => name));
  for (const [name, test] of chosen) await report(name, test);
}
console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;

async function report(name, test) {
  const start = performance.now();
  try {
    await test();
    passed++;
    console.log(`  ✔ ${name} (${Math.round(performance.now() - start)} ms)`);
  } catch (error) {
    failed++;
    console.log(`  ✘ ${name}\n${String(error.message).replaceAll(/^/gm, '      ')}`);
  }
}
