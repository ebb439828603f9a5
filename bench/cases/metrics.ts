import { runtime } from 'gradstep';
import { Metrics, TrainingMetrics } from 'gradstep/metrics';
import { SummaryWriter } from 'gradstep/tensorboard';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Bench, Case } from '../bench';
import { showThreads } from '../data';
import { timed } from '../harness';
import { compiledMnistStep, mnistStep } from '../mnist';
import type { Side } from '../sides';

const normBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const losses = Float64Array.from({ length: 1024 }, (_, i) => 0.002 * 1.01 ** i);

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
function counted() {
  const metrics = Metrics.create();
  const training = new TrainingMetrics(metrics, { normBuckets });
  let step = 0;
  const observe = (loss: number): void => {
    training.observeStep({ step: step++, loss, norm: 2 * loss, clipNorm: 1, examples: 64, seconds: 1e-4 });
  };
  const norms = (): number[] => {
    return shares(metrics.collect().find(({ name }) => name === 'gradstep_gradient_norm')!.samples);
  };
  return { observe, norms };
}

async function steps(bench: Bench): Promise<void> {
  for (const [kind, step] of [
    ['eager', mnistStep],
    ['compiled', compiledMnistStep],
  ] as const) {
    await bench.contest(
      `metrics mnist step with all metrics, ${kind}, ${showThreads(runtime.threads)}`,
      () => [side('gradstep', step(), counted().observe), side('step alone', step(), nothing)],
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
      const { observe: count } = counted();
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

/** Counting a step by itself, here and by prom-client. */
async function counting(bench: Bench): Promise<void> {
  await bench.contest(
    'metrics of a step, counted',
    () => {
      const ours = counted();
      const theirs = countedByPromClient();
      return [looped('gradstep', ours.observe, ours.norms), looped('prom-client', theirs.observe, theirs.norms)];
    },
    // A hundredth of the shortest MNIST step that we know of.
    { tolerance: 1e-12, goals: [{ atMost: 1.5e-6 }] },
  );
}

function looped(name: string, observe: (loss: number) => void, norms: Side['result']): Side {
  let i = 0;
  return { ...timed(name, () => observe(losses[i++ % losses.length]!)), ...(norms && { result: norms }) };
}

function countedByPromClient() {
  const registers = [new Registry()];
  const [steps, examples, clipped] = ['steps', 'examples', 'clipped'].map(
    (name) => new Counter({ name, help: name, registers }),
  );
  const [last, loss] = ['step', 'loss'].map((name) => new Gauge({ name, help: name, registers }));
  const [seconds, norms] = ['seconds', 'norms'].map(
    (name) => new Histogram({ name, help: name, buckets: [...normBuckets], registers }),
  );
  let step = 0;
  const observe = (value: number): void => {
    steps!.inc();
    examples!.inc(64);
    last!.set(step++);
    loss!.set(value);
    seconds!.observe(1e-4);
    norms!.observe(2 * value);
    if (2 * value > 1) clipped!.inc();
  };
  const read = async (): Promise<number[]> => {
    // Whose types do not say that values of a histogram have names.
    const { values } = (await norms!.get()) as unknown as { readonly values: readonly Named[] };
    return shares(values.map(({ metricName, value }) => ({ name: metricName, value })));
  };
  return { observe, norms: read };
}

interface Named {
  readonly metricName: string;
  readonly value: number;
}

/** Numbers of a histogram as parts of the count, so that it does not matter how often it was written to. */
function shares(samples: readonly { readonly name: string; readonly value: number }[]): number[] {
  const count = samples.find(({ name }) => name.endsWith('_count'))!.value;
  return samples.map(({ value }) => value / count);
}

export const metrics: Case = {
  name: 'metrics',
  about: 'what counting costs: a step with all of its metrics against the step alone',
  async run(bench) {
    await counting(bench);
    await bench.eachThreadCount(async () => {
      await steps(bench);
      await telemetry(bench);
    });
  },
};
