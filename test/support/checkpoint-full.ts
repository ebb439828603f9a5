// A process that saves step after step until something is wrong, and says what.
import { saveCheckpoint } from 'gradstep/checkpoint';
import { countingModel } from './checkpoint-model';

async function main(folder: string): Promise<void> {
  const { parts, set } = countingModel([3, 1000]);
  for (let step = 1; ; step++) {
    set(step);
    try {
      await saveCheckpoint(folder, parts, { copy: step % 2 === 0 });
    } catch (error) {
      return console.log(JSON.stringify({ step, code: (error as { code?: string }).code, message: String(error) }));
    }
  }
}

void main(process.argv[2]!);
