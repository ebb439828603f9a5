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

/** What each of some new processes prints. */
function printed(program: string, ...args: readonly string[]): string[] {
  const run = (): string => execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  return Array.from({ length: processes }, run);
}

const middle = (values: readonly number[]): number => spreadOf(values).median / megabyte;

function ours(threads: number): { grown: number; arrays: number } {
  const lines = printed(process.execPath, join(__dirname, '..', 'gpt-memory.js'), `${threads}`);
  const runs = lines.map((line) => JSON.parse(line) as { grown: number; arrays: number });
  return { grown: middle(runs.map(({ grown }) => grown)), arrays: middle(runs.map(({ arrays }) => arrays)) };
}

async function measure(bench: Bench, threads: number): Promise<void> {
  const id = `gpt-memory ${showThreads(threads)}`;
  if (!bench.wants(id)) return;
  const torch = await bench.peers.torch();
  const { grown, arrays } = ours(threads);
  let limit = {};
  if (torch !== null) {
    const theirs = middle(printed(torch.python, join(sources, 'peers', 'gpt_memory.py'), `${threads}`).map(Number));
    bench.measure(`${id}, PyTorch`, () => ({ value: theirs, unit: 'MiB' }));
    limit = { atMost: theirs };
  }
  bench.measure(`${id}, gradstep`, () => ({ value: grown, unit: 'MiB', ...limit }));
  bench.measure(`${id}, gradstep, in arrays`, () => ({ value: arrays, unit: 'MiB' }));
}

export const gptMemory: Case = {
  name: 'gpt-memory',
  about: 'the most memory that training the small GPT takes, against PyTorch; Linux has to tell',
  async run(bench) {
    if (!existsSync('/proc/self/clear_refs')) return;
    await bench.eachThreadCount((threads) => measure(bench, threads));
  },
};
