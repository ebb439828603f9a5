import { globalNorm, runtime } from 'gradstep';
import { histogramOf, SummaryWriter } from 'gradstep/tensorboard';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bench, Case } from '../bench';
import { showCount, showThreads, weights } from '../data';
import { timed } from '../harness';
import { mnistStep } from '../mnist';
import type { Side } from '../sides';

/** TensorFlow's default limits. */
function limitsOf(): Float64Array {
  const positive: number[] = [];
  for (let limit = 1e-12; limit < 1e20; limit *= 1.1) positive.push(limit);
  positive.push(Number.MAX_VALUE);
  return Float64Array.from([...positive.map((limit) => -limit).reverse(), 0, ...positive]);
}

/** TensorFlow's loop: a search for each value. */
function plainSide(x: Float32Array): Side {
  const limits = limitsOf();
  const counts = new Float64Array(limits.length);
  const count = (): void => {
    counts.fill(0);
    for (let i = 0; i < x.length; i++) {
      let low = 0;
      let high = limits.length - 1;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (limits[middle]! > x[i]!) high = middle;
        else low = middle + 1;
      }
      counts[low]!++;
    }
  };
  return { ...timed('plain JavaScript', count), result: () => counts.filter((n) => n > 0) };
}

async function histogram(bench: Bench, n: number): Promise<void> {
  await bench.contest(
    `tensorboard histogram of ${showCount(n)} values, ${showThreads(runtime.threads)}`,
    () => {
      const x = weights(n, 7, 0.125);
      let last = histogramOf(x);
      return [
        {
          ...timed('gradstep', () => void (last = histogramOf(x))),
          result: () => last.bucket.filter((count) => count > 0),
        },
        timed('norm', () => void globalNorm([x])), // reads the same memory
        plainSide(x),
      ];
    },
    { work: { parameters: n, bytes: 4 * n }, tolerance: 0, goals: [{ against: 'plain JavaScript', atLeast: 10 }] },
  );
}

/** A loss in every step. */
async function telemetry(bench: Bench): Promise<void> {
  await bench.contest(
    `tensorboard mnist step with a scalar, ${showThreads(runtime.threads)}`,
    () => {
      const folder = mkdtempSync(join(tmpdir(), 'gradstep-'));
      const writer = new SummaryWriter(folder);
      const step = mnistStep();
      let steps = 0;
      return [
        {
          ...timed('gradstep', () => writer.scalar('loss', step(), steps++)),
          dispose: () => writer.close().finally(() => rmSync(folder, { recursive: true })),
        },
        timed('step alone', step),
      ];
    },
    { goals: [{ against: 'step alone', atMost: 1.01 }], patience: 4 },
  );
}

export const tensorboard: Case = {
  name: 'tensorboard',
  about: 'what telemetry costs: a histogram of weights, a scalar in every step',
  async run(bench) {
    await bench.eachThreadCount(async () => {
      await histogram(bench, 784 * 256);
      await histogram(bench, 2 ** 22);
      await telemetry(bench);
    });
  },
};
