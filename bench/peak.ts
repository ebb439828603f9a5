import { readFileSync, writeFileSync } from 'node:fs';

/** What Linux says of this process, in bytes: VmRSS is the memory that it has, VmHWM the most that it had. */
function statusOf(field: 'VmRSS' | 'VmHWM'): number {
  const line = readFileSync('/proc/self/status', 'utf8').match(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm'));
  if (line === null) throw new Error(`/proc/self/status has no ${field}`);
  return Number(line[1]) * 1024;
}

/** How far the memory of this process grows at most from here on. bench/peers/gpt_memory.py does the same. */
export class Peak {
  private readonly before: number;

  constructor() {
    writeFileSync('/proc/self/clear_refs', '5'); // the most so far is what there is now
    this.before = statusOf('VmRSS');
  }

  get grown(): number {
    return statusOf('VmHWM') - this.before;
  }
}
