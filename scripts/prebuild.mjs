// `npm run prebuild [target...]` builds the binaries that are published, in prebuilds/, on Debian 12; all when none is
// named. `npm run prebuild -- --verify [target...]` says whether those that are there are as they must be.
import { statSync } from 'node:fs';
import './files.mjs';
import { build } from './prebuild/compile.mjs';
import { targets } from './prebuild/targets.mjs';
import { faultsOf, faultsOfSum } from './prebuild/verify.mjs';

const args = process.argv.slice(2);
const names = args.filter((arg) => !arg.startsWith('--'));
const unknown = names.filter((name) => !targets.has(name));
if (unknown.length > 0) {
  console.error(`no such target: ${unknown.join(', ')}; there are ${[...targets.keys()].join(', ')}`);
  process.exit(1);
}
const chosen = [...targets.values()].filter(({ name }) => names.length === 0 || names.includes(name));

if (args.includes('--verify')) process.exit(verify() ? 0 : 1);

for (const target of chosen) {
  const start = Date.now();
  await build(target);
  const megabytes = (statSync(target.file).size / 2 ** 20).toFixed(2);
  console.log(`${target.name}: ${megabytes} MiB, ${((Date.now() - start) / 1000).toFixed(0)} s`);
}
process.exit(verify() ? 0 : 1);

function verify() {
  const faults = chosen.map((target) => ({ name: target.name, faults: faultsOf(target) }));
  for (const { name, faults: own } of faults)
    console.log(own.length === 0 ? `${name}: verified` : `${name}: ${own.join('; ')}`);
  const ofSum = faultsOfSum(chosen);
  for (const fault of ofSum) console.log(fault);
  return ofSum.length === 0 && faults.every(({ faults: own }) => own.length === 0);
}
