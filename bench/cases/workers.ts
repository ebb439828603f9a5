import { availableParallelism } from 'node:os';
import type { Case } from '../bench';
import type { Side } from '../sides';
import { startTraining } from '../workers/training';

/** Trains with so many workers of so many kernel threads each; a call is one share of 64 examples. */
function side(name: string, workers: number, threads: number): Side {
  const training = startTraining(workers, threads);
  return {
    name,
    turn: async (calls) => (await training.seconds(Math.max(1, Math.round(calls / workers)))) * calls,
    dispose: () => training.dispose(),
  };
}

export const workers: Case = {
  name: 'workers',
  about: 'training in worker threads: examples per second',
  async run(bench) {
    if (availableParallelism() < 2) return;
    await bench.contest(
      'workers 784-256-10, 64 examples a share',
      () => [side('2 workers', 2, 1), side('1 worker', 1, 1), side('1 worker, 2 kernel threads', 1, 2)],
      { goals: [{ against: '1 worker', atLeast: 1.7 }], patience: 10 },
    );
  },
};
