import { SharedMemoryCommunicator } from 'gradstep/parallel';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';

/** What came of a rank: what its program returned, or threw. */
export interface Outcome<T> {
  readonly result?: T;
  readonly error?: string;
}

/** Ranks that are threads, which run programs of `distributed.ts` together, one after the other. */
export class Team {
  private readonly workers: readonly Worker[];

  constructor(readonly size: number) {
    const handle = SharedMemoryCommunicator.create(size);
    this.workers = Array.from({ length: size }, (_, rank) => {
      return new Worker(join(__dirname, 'distributed-worker.js'), { workerData: { rank, handle } });
    });
    for (const worker of this.workers) worker.setMaxListeners(0);
  }

  /** What comes of a program on each rank. */
  run<T>(program: string, order?: unknown): Promise<Outcome<T>[]> {
    return Promise.all(
      this.workers.map((worker) => {
        return new Promise<Outcome<T>>((resolve) => {
          worker.once('message', resolve);
          worker.once('error', (error: Error) => resolve({ error: `ended: ${error.message}` }));
          worker.once('exit', () => resolve({ error: 'ended' }));
          worker.postMessage({ program, order });
        });
      }),
    );
  }

  /** What a program returns on each rank, where none throws. */
  async results<T>(program: string, order?: unknown): Promise<T[]> {
    const outcomes = await this.run<T>(program, order);
    const texts = outcomes.map(({ error }, rank) => `rank ${rank}: ${error}`);
    if (outcomes.some(({ error }) => error !== undefined)) throw new Error(texts.join('\n'));
    return outcomes.map(({ result }) => result!);
  }

  /** What it throws on each rank. */
  async errors(program: string, order?: unknown): Promise<(string | undefined)[]> {
    return (await this.run(program, order)).map(({ error }) => error);
  }

  async end(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.terminate()));
  }
}

/** A team while `use` runs. */
export async function withTeam<T>(size: number, use: (team: Team) => Promise<T>): Promise<T> {
  const team = new Team(size);
  try {
    return await use(team);
  } finally {
    await team.end();
  }
}
