import { availableParallelism } from 'node:os';
import type { Case } from '../bench';
import type { Side } from '../sides';
import { startTraining, type TrainingOptions } from '../workers/training';

// A training is one long run. When its threads come back from a pause the system takes some time to give each a CPU of its
// own, and caches hold what others have used: both end with these steps, which are not timed.
const stepsToWarm = 200;
// Long beside the millisecond after which the end of a turn is noticed.
const leastShares = 1000;

/** A call is one share of 64 examples, whoever trains. */
function side(name: string, options: TrainingOptions): Side {
  const training = startTraining(options);
  const { workers } = options;
  return {
    name,
    turn: async (calls) => {
      await training.seconds(stepsToWarm);
      return (await training.seconds(Math.round(Math.max(calls, leastShares) / workers))) * calls;
    },
    dispose: () => training.dispose(),
  };
}

export const workers: Case = {
  name: 'workers',
  about: 'training in worker threads: the time of a share of 64 examples',
  async run(bench) {
    if (availableParallelism() < 2) return;
    for (const isCompiled of [false, true]) {
      await bench.contest(
        `workers 784-256-10, ${isCompiled ? 'compiled' : 'eager'}`,
        () => [
          side('2 workers', { workers: 2, threads: 1, isCompiled }),
          side('1 worker', { workers: 1, threads: 1, isCompiled }),
          side('1 worker, 2 kernel threads', { workers: 1, threads: 2, isCompiled }),
        ],
        { goals: [{ against: '1 worker', atLeast: 1.7 }], patience: 10 },
      );
    }
    await bench.contest(
      'workers with a snapshot every 10 ms',
      () => [
        side('with snapshots', { workers: 2, threads: 1, isCompiled: false, pause: 10 }),
        side('without', { workers: 2, threads: 1, isCompiled: false }),
      ],
      { patience: 10 },
    );
  },
};
