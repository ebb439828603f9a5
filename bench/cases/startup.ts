import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Case } from '../bench';
import { root } from '../paths';
import { spreadOf } from '../statistics';

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

export const startup: Case = {
  name: 'startup',
  about: 'loading the package, and the size of its addon',
  run(bench) {
    const runs = Array.from({ length: bench.isQuick ? 9 : 31 }, () => {
      const bare = run('console.log(0)').whole;
      const { printed, whole } = run(script);
      return { printed, more: whole - bare };
    });
    const median = (values: number[]): number => spreadOf(values).median;
    const printed = median(runs.map(({ printed }) => printed));
    bench.measure({ id: "startup require('gradstep')", value: printed, unit: 'ms', atMost: 15 });
    const more = median(runs.map(({ more }) => more));
    bench.measure({ id: 'startup process with it, minus bare Node', value: more, unit: 'ms', atMost: 15 });
    const addon = join(root, 'prebuilds', `${process.platform}-${process.arch}`, 'gradstep.node');
    bench.measure({ id: 'startup size of the addon', value: statSync(addon).size, unit: 'B', atMost: 2 << 20 });
    return Promise.resolve();
  },
};
