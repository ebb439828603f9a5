// A process that saves or restores much state, and says how much memory that took beside the state, in megabytes.
import { Variable } from 'gradstep';
import { restoreCheckpoint, saveCheckpoint } from 'gradstep/checkpoint';
import { readFileSync } from 'node:fs';

/** The most memory that it has had, in megabytes. What `resourceUsage` tells on Linux may be that of its parent. */
function peak(): number {
  if (process.platform !== 'linux') return process.resourceUsage().maxRSS / 1000;
  return Number(/VmHWM:\s*(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))![1]) / 1000;
}

async function main(folder: string, how: string, megabytes: number): Promise<void> {
  const variables = Array.from({ length: 4 }, (_, i) => {
    const memory = new Float32Array(new SharedArrayBuffer(megabytes * 2 ** 18)).fill(i);
    return Variable.over(memory, { name: `w${i}` });
  });
  const before = Math.max(peak(), process.memoryUsage.rss() / 1e6);
  if (how === 'restore') await restoreCheckpoint(folder, { variables });
  else await saveCheckpoint(folder, { variables }, { step: 1, copy: how === 'copy' });
  console.log(peak() - before);
}

const [folder, how, megabytes] = process.argv.slice(2) as [string, string, string];
void main(folder, how, Number(megabytes));
