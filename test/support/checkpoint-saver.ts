// A process that saves step after step until it is killed.
import { saveCheckpoint } from 'gradstep/checkpoint';
import { countingModel } from './checkpoint-model';

async function main(folder: string, from: number): Promise<void> {
  const { parts, set } = countingModel([3, 1000, 400_000]);
  console.log('ready');
  for (let step = from + 1; ; step++) {
    set(step);
    await saveCheckpoint(folder, parts, { keep: 2 });
    process.stdout.write(`${step}\n`);
  }
}

void main(process.argv[2]!, Number(process.argv[3]));
