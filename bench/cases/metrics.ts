import { runtime } from 'gradstep';
import { Metrics, TrainingMetrics } from 'gradstep/metrics';
import { SummaryWriter } from 'gradstep/tensorboard';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Counter, Histogram, Registry } from 'prom-client';
import type { Bench, Case } from '../bench';
import { showThreads } from '../data';
import { timed } from '../harness';
import { compiledMnistStep, mnistStep } from '../mnist';
import type { Side } from '../sides';

const buckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const values = Float64Array.from({ length: 1024 }, (_, i) => 0.002 * 1.01 ** i);

/** A step and what is told of it. The losses are compared, as far as they have come. */
function side(name: string, step: () => number, observe: (loss: number) => void, dispose?: Side['dispose']): Side {
  let losses: number[] = [];
  const work = (): void => {
    const loss = step();
    observe(loss);
    losses = [...losses.slice(-2), loss];
  };
  return { ...timed(name, work), result: () => losses, ...(dispose && { dispose }) };
}

const nothing = (): void => {};

/** All that there is to tell of a step, in numbers that change. */
function counted(): (loss: number) => void {
  const training = new TrainingMetrics(Metrics.create());
  let start = performance.now();
  let step = 0;
  return (loss) => {
    const now = performance.now();
    training.observeStep({
      step: step++,
      loss,
      norm: 2 * loss,
      clipNorm: 1,
      examples: 64,
      seconds: (now - start) / 1000,
    });
    start = now;
  };
}

async function steps(bench: Bench): Promise<void> {
  for (const [kind, step] of [
    ['eager', mnistStep],
    ['compiled', compiledMnistStep],
  ] as const) {
    await bench.contest(
      `metrics mnist step with all metrics, ${kind}, ${showThreads(runtime.threads)}`,
      () => [side('gradstep', step(), counted()), side('step alone', step(), nothing)],
      { goals: [{ against: 'step alone', atMost: 1.01 }], tolerance: 0, patience: 4 },
    );
  }
}

/** All of telemetry in every step. */
async function telemetry(bench: Bench): Promise<void> {
  await bench.contest(
    `metrics mnist step with all metrics and a scalar, ${showThreads(runtime.threads)}`,
    () => {
      const folder = mkdtempSync(join(tmpdir(), 'gradstep-'));
      const writer = new SummaryWriter(folder);
      const count = counted();
      let step = 0;
      const observe = (loss: number): void => {
        count(loss);
        writer.scalar('loss', loss, step++);
      };
      const dispose = () => writer.close().finally(() => rmSync(folder, { recursive: true }));
      return [side('gradstep', mnistStep(), observe, dispose), side('step alone', mnistStep(), nothing)];
    },
    { goals: [{ against: 'step alone', atMost: 1.01 }], tolerance: 0, patience: 4 },
  );
}

async function observations(bench: Bench): Promise<void> {
  const metrics = Metrics.create();
  const ours = {
    counter: metrics.counter('a_total', { help: '' }),
    histogram: metrics.histogram('a', { help: '', buckets }),
  };
  const registers = [new Registry()];
  const theirs = {
    counter: new Counter({ name: 'a_total', help: '-', registers }),
    histogram: new Histogram({ name: 'a', help: '-', buckets, registers }),
  };
  const loop =
    ({ counter, histogram }: typeof ours | typeof theirs): (() => void) =>
    () => {
      for (const value of values) {
        counter.inc();
        histogram.observe(value);
      }
    };
  await bench.contest(
    `metrics ${values.length} times a counter and a histogram`,
    () => [
      { ...timed('gradstep', loop(ours)), result: () => countsOf(metrics) },
      { ...timed('prom-client', loop(theirs)), result: () => countsOfRegistry(registers[0]!) },
    ],
    { tolerance: 1e-12, goals: [{ against: 'prom-client', atLeast: 2 }] },
  );
}

/** Counts of all buckets, as parts of the count, so that it does not matter who has run more often. */
function countsOf(metrics: Metrics): number[] {
  const samples = metrics.collect().flatMap(({ name, samples }) => (name === 'a' ? samples : []));
  return shares(samples.map(({ name, value }) => ({ name, value })));
}

async function countsOfRegistry(registry: Registry): Promise<number[]> {
  // Whose types do not say that values of a histogram have names.
  const { values } = (await registry.getSingleMetric('a')!.get()) as unknown as {
    readonly values: readonly { readonly metricName: string; readonly value: number }[];
  };
  return shares(values.map(({ metricName, value }) => ({ name: metricName, value })));
}

function shares(samples: readonly { readonly name: string; readonly value: number }[]): number[] {
  const count = samples.find(({ name }) => name === 'a_count')!.value;
  return samples.map(({ value }) => value / count);
}

export const metrics: Case = {
  name: 'metrics',
  about: 'what counting costs: a step with all of its metrics against the step alone',
  async run(bench) {
    await observations(bench);
    await bench.eachThreadCount(async () => {
      await steps(bench);
      await telemetry(bench);
    });
  },
};
