// A process that resumes trainings from their checkpoints, makes steps, and saves.
import { join } from 'node:path';
import { restoreCheckpoint, saveCheckpoint } from 'gradstep/checkpoint';
import { trainings } from './checkpoint-runs';

async function main(folder: string, from: number, to: number): Promise<void> {
  for (const [name, start] of Object.entries(trainings)) {
    const { parts, step, metadata, resume } = start();
    const restored = await restoreCheckpoint(join(folder, name), parts);
    if ((restored?.step ?? 0) !== from) throw new Error(`${name} resumes at ${restored?.step}, expected ${from}`);
    if (restored !== null) resume?.(restored.metadata);
    for (let i = from; i < to; i++) step(i);
    const contents = { ...parts, ...(metadata && { metadata: metadata() }) };
    await saveCheckpoint(join(folder, name), contents, { keep: 2 });
  }
}

const [folder, from, to] = process.argv.slice(2) as [string, string, string];
void main(folder, Number(from), Number(to));
