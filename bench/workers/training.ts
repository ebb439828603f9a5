import { AdamOptimizer, variable, type Variable } from 'gradstep';
import { trainInWorkers } from 'gradstep/parallel';
import { join } from 'node:path';
import { weights } from '../data';

/** A training that makes steps when it is asked to. */
export interface TimedTraining {
  /** Makes so many steps. @returns the seconds that each share took. */
  seconds(steps: number): Promise<number>;
  dispose(): Promise<void>;
}

export interface TrainingOptions {
  readonly workers: number;
  /** Kernel threads of each. */
  readonly threads: number;
  readonly isCompiled: boolean;
  /** Milliseconds from one snapshot to the next. Default: none is taken. */
  readonly pause?: number;
}

export function startTraining({ workers, threads, isCompiled, pause }: TrainingOptions): TimedTraining {
  const limits = new Int32Array(new SharedArrayBuffer(4));
  const variables = [
    variable(weights(784 * 256, 7, 0.125), { shape: [784, 256] }),
    variable(new Float32Array(256)),
    variable(weights(256 * 10, 7, 0.25), { shape: [256, 10] }),
    variable(new Float32Array(10)),
  ];
  const module = join(__dirname, 'replica.js');
  const training = trainInWorkers({
    ...{ workers, threads, module, variables },
    optimizer: new AdamOptimizer(),
    data: { limits, isCompiled },
  });
  let copies: readonly Variable[] | undefined;
  const take = (): void => void (copies = training.snapshot(copies));
  const allow = (steps: number): void => {
    Atomics.add(limits, 0, steps);
    Atomics.notify(limits, 0);
  };
  const until = async (steps: number): Promise<void> => {
    while (training.steps < steps) await new Promise((resolve) => setTimeout(resolve, 1));
  };
  return {
    async seconds(steps) {
      const before = training.steps;
      const snapshots = pause === undefined ? undefined : setInterval(take, pause);
      const start = process.hrtime.bigint();
      allow(steps);
      await until(before + steps);
      clearInterval(snapshots);
      return (Number(process.hrtime.bigint() - start) * 1e-9) / (steps * workers);
    },
    async dispose() {
      const stopped = training.stop();
      allow(1);
      await stopped;
    },
  };
}
