import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench, Case } from '../bench';
import { showThreads } from '../data';
import { sources } from '../paths';
import { spreadOf } from '../statistics';

const megabyte = 2 ** 20;

/** Of so many new processes each. */
const processes = 5;

/** The median of what some new processes print, in MiB. */
function peakOf(program: string, file: string, threads: number): number {
  const run = (): string =>
    execFileSync(program, [file, `${threads}`], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  return spreadOf(Array.from({ length: processes }, () => Number(run()))).median / megabyte;
}

async function measure(bench: Bench, threads: number): Promise<void> {
  const id = `gpt-memory ${showThreads(threads)}`;
  if (!bench.wants(id)) return;
  const torch = await bench.peers.torch();
  const theirs = torch && peakOf(torch.python, join(sources, 'peers', 'gpt_memory.py'), threads);
  const ours = peakOf(process.execPath, join(__dirname, '..', 'gpt-memory.js'), threads);
  bench.measure(id, () => ({ value: ours, unit: 'MiB', ...(theirs !== null && { atMost: theirs }) }));
  if (theirs !== null) bench.measure(`${id}, PyTorch`, () => ({ value: theirs, unit: 'MiB' }));
}

export const gptMemory: Case = {
  name: 'gpt-memory',
  about: 'the most memory that training the small GPT takes, against PyTorch; Linux has to tell',
  async run(bench) {
    if (!existsSync('/proc/self/clear_refs')) return;
    await bench.eachThreadCount((threads) => measure(bench, threads));
  },
};
