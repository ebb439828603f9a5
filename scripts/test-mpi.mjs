// `npm run test:mpi [openmpi|mpich|abi|full] [word...]`: gradstep/mpi on the MPIs that Debian has, which are installed where they
// are missing, with programs of test/mpi/programs. A word chooses tests whose names hold it; `full` adds those that take long.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root, run } from './files.mjs';

const words = process.argv.slice(2);
const isFull = words.includes('full');
const names = ['openmpi', 'mpich', 'abi'];
const named = words.filter((word) => names.includes(word));
const chosenMpis = named.length > 0 ? named : names;
const others = words.filter((word) => word !== 'full' && !names.includes(word));
const isChosen = (...of) => others.length === 0 || others.some((word) => of.some((name) => name.includes(word)));

run(process.execPath, ['scripts/build.mjs']);
const { buildShim, installMpis } = await import(pathToFileURL(join(root, 'test/mpi/kit.mjs')).href);
installMpis();
buildShim();

let passed = 0;
let failed = 0;
for (const file of readdirSync(join(root, 'test/mpi')).filter((name) => name.endsWith('.mjs') && name !== 'kit.mjs')) {
  const group = file.replace('.mjs', '');
  const { tests } = await import(pathToFileURL(join(root, 'test/mpi', file)).href);
  const chosen = Object.entries(tests({ mpis: chosenMpis, isFull })).filter(([name]) => isChosen(group, name));
  if (chosen.length > 0) console.log(`\n${group}`);
  for (const [name, test] of chosen) await report(name, test);
}
console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;

async function report(name, test) {
  const start = performance.now();
  try {
    const skipped = await test();
    if (typeof skipped === 'string') {
      console.log(`  - ${name}: ${skipped}`);
      return;
    }
    passed++;
    console.log(`  ✔ ${name} (${Math.round(performance.now() - start)} ms)`);
  } catch (error) {
    failed++;
    console.log(`  ✘ ${name}\n${String(error.message).replaceAll(/^/gm, '      ')}`);
  }
}
