import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Case } from '../bench';
import { root } from '../paths';
import { spreadOf, type Spread } from '../statistics';

const script = `
  const start = process.hrtime.bigint();
  require('gradstep');
  console.log(Number(process.hrtime.bigint() - start) / 1e6);`;

/** Milliseconds of the call alone, in a process that does nothing else; and of the whole process. */
function run(code: string): { printed: number; whole: number } {
  const start = performance.now();
  const { stdout, status, stderr } = spawnSync(process.execPath, ['-e', code], { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return { printed: Number(stdout), whole: performance.now() - start };
}

/** Of new processes, with and without the library in turn. */
function load(times: number): { call: Spread; process: Spread } {
  const runs = Array.from({ length: times }, () => {
    const bare = run('console.log(0)').whole;
    const { printed, whole } = run(script);
    return { printed, more: whole - bare };
  });
  return { call: spreadOf(runs.map(({ printed }) => printed)), process: spreadOf(runs.map(({ more }) => more)) };
}

export const startup: Case = {
  name: 'startup',
  about: 'loading the package, and the size of its addon',
  run(bench) {
    const addon = join(root, 'build', 'Release', 'gradstep.node');
    bench.measure('startup size of the addon', () => ({ value: statSync(addon).size, unit: 'B', atMost: 4 << 20 }));
    if (!bench.wants('startup')) return Promise.resolve();
    const { call, process: whole } = load(bench.isQuick ? 15 : 41);
    bench.measure("startup require('gradstep')", () => ({ ...measured(call), atMost: 15 }));
    bench.measure('startup process that loads it, minus bare Node', () => measured(whole));
    return Promise.resolve();
  },
};

const measured = ({ median, error }: Spread) => ({ value: median, error, unit: 'ms' });
