// A process that saves some steps, and makes a folder beside them for each that is said to be saved.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { saveCheckpoint } from 'gradstep/checkpoint';
import { countingModel } from './checkpoint-model';

async function main(folder: string, keep: number): Promise<void> {
  const { parts, set } = countingModel([3, 100]);
  for (const step of [1, 2, 3]) {
    set(step);
    await saveCheckpoint(join(folder, 'runs', 'one'), parts, { keep });
    mkdirSync(join(folder, `said-${step}`));
  }
}

void main(process.argv[2]!, Number(process.argv[3]));
