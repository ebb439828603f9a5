// A process that saves step after step, or restores, until something is wrong, and says what.
import { restoreCheckpoint, saveCheckpoint } from 'gradstep/checkpoint';
import { countingModel } from './checkpoint-model';

const { parts, set, step: numbers } = countingModel([3, 1000]);

async function save(folder: string): Promise<never> {
  for (let step = 1; ; step++) {
    set(step);
    await saveCheckpoint(folder, parts, { copy: step % 2 === 0 });
  }
}

async function main(folder: string, isRestore: boolean): Promise<void> {
  try {
    await (isRestore ? restoreCheckpoint(folder, parts) : save(folder));
  } catch (error) {
    console.log(JSON.stringify({ step: numbers(), code: (error as { code?: string }).code, message: String(error) }));
  }
}

void main(process.argv[2]!, process.argv[3] === 'restore');
