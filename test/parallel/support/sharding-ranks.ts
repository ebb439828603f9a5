import { SharedMemoryCommunicator } from 'gradstep/parallel';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Program as Eager } from './sharding-programs';

export type Program = Eager | 'trainCompiled' | 'compiledSurroundings' | 'compiledInTurn';

export interface Outcome<T> {
  readonly result?: T;
  readonly error?: string;
}

/** Runs a program on so many ranks, which are threads: what it returned, or threw. */
export async function outcomes<T>(program: Program, size: number, order: unknown): Promise<Outcome<T>[]> {
  const handle = SharedMemoryCommunicator.create(size);
  const workers = Array.from({ length: size }, (_, rank) => {
    return new Worker(join(__dirname, 'sharding-worker.js'), { workerData: { program, order, rank, handle } });
  });
  const ended = workers.map(
    (worker) =>
      new Promise<Outcome<T>>((resolve) => {
        worker.once('message', resolve);
        worker.once('error', (error: Error) => resolve({ error: `ended: ${error.stack}` }));
        worker.once('exit', () => resolve({ error: 'ended' }));
      }),
  );
  try {
    return await Promise.all(ended);
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

/** The same, where none throws. */
export async function results<T>(program: Program, size: number, order: unknown): Promise<T[]> {
  const ranks = await outcomes<T>(program, size, order);
  if (ranks.every(({ error }) => error === undefined)) return ranks.map(({ result }) => result!);
  throw new Error(ranks.map(({ error }, rank) => `rank ${rank}: ${error}`).join('\n'));
}
