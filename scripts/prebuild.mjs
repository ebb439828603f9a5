// `npm run prebuild [target...]` builds the binaries that are published, in prebuilds/, on Debian 12; all when none is
// named. `npm run prebuild -- --verify [target...]` says whether those that are there are as they must be.
import { statSync } from 'node:fs';
import './files.mjs';
import { build } from './prebuild/compile.mjs';
import { targets } from './prebuild/targets.mjs';

const args = process.argv.slice(2);
const names = args.filter((arg) => !arg.startsWith('--'));
const unknown = names.filter((name) => !targets.has(name));
if (unknown.length > 0) {
  console.error(`no such target: ${unknown.join(', ')}; there are ${[...targets.keys()].join(', ')}`);
  process.exit(1);
}
const chosen = [...targets.values()].filter(({ name }) => names.length === 0 || names.includes(name));

for (const target of chosen) {
  const start = Date.now();
  await build(target);
  const megabytes = (statSync(target.file).size / 2 ** 20).toFixed(2);
  console.log(`${target.name}: ${megabytes} MiB, ${((Date.now() - start) / 1000).toFixed(0)} s`);
}
