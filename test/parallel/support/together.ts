import { SharedMemoryCommunicator } from 'gradstep/parallel';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';

/** What came of a rank: what its program returned, or threw. */
export interface Outcome<T> {
  readonly result?: T;
  readonly error?: string;
}

/** Runs a program of `distributed.ts` on so many ranks, which are threads. */
export async function together<T>(program: string, size: number, order?: unknown): Promise<Outcome<T>[]> {
  const handle = SharedMemoryCommunicator.create(size);
  const workers = Array.from({ length: size }, (_, rank) => {
    return new Worker(join(__dirname, 'distributed-worker.js'), { workerData: { program, order, rank, handle } });
  });
  const outcomes = workers.map(
    (worker) =>
      new Promise<Outcome<T>>((resolve) => {
        worker.once('message', resolve);
        worker.once('error', (error: Error) => resolve({ error: `ended: ${error.message}` }));
        worker.once('exit', () => resolve({ error: 'ended' }));
      }),
  );
  try {
    return await Promise.all(outcomes);
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

/** The same, where none throws. */
export async function results<T>(program: string, size: number, order?: unknown): Promise<T[]> {
  const outcomes = await together<T>(program, size, order);
  const failed = outcomes.find(({ error }) => error !== undefined);
  if (failed !== undefined) throw new Error(outcomes.map(({ error }, rank) => `rank ${rank}: ${error}`).join('\n'));
  return outcomes.map(({ result }) => result!);
}
