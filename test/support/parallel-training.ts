// A program by itself: trains in worker threads and compares bits with those of one thread, on whatever runs JavaScript.
import {
  AdamOptimizer,
  createGlobalStep,
  GradientAccumulator,
  ops,
  tensor,
  variable,
  type Tensor,
  type Variable,
} from 'gradstep';
import { Metrics, TrainingMetrics, type MetricsHandle } from 'gradstep/metrics';
import { defineReplica, trainInWorkers, type Training } from 'gradstep/parallel';
import { isMainThread } from 'node:worker_threads';

const numbers = (seed: number, length: number): Float32Array =>
  Float32Array.from({ length }, (_, i) => (((seed + 7 * i) * 16807) % 1024) / 512 - 1);

const newVariables = (): Variable[] => [
  variable(numbers(1, 60), { shape: [20, 3], name: 'w' }),
  variable(numbers(2, 3), { name: 'b' }),
];

function loss([w, b]: readonly Variable[], batch: number): Tensor {
  const predicted = ops.xwPlusB(tensor(numbers(batch, 80), [4, 20]), w!, b!);
  return ops.reduceMean(ops.square(ops.sub(predicted, tensor(numbers(batch + 3, 12), [4, 3]))));
}

defineReplica<MetricsHandle | undefined>(({ variables, data }) => {
  const counted = data && new TrainingMetrics(Metrics.from(data));
  return {
    optimizer: new AdamOptimizer(),
    loss: ({ step, share, shares }) => loss(variables, step * shares + share),
    ...(counted && { onStep: (made) => counted.observeStep(made) }),
  };
});

const bytes = (variables: readonly Variable[]): string => variables.map(({ data }) => data.join()).join();

function alone(steps: number): string {
  const variables = newVariables();
  const optimizer = new AdamOptimizer();
  const accumulator = new GradientAccumulator();
  for (let step = 0; step < steps; step++) {
    for (let share = 0; share < 2; share++) {
      accumulator.add(optimizer.computeGradients(() => loss(variables, 2 * step + share), { varList: variables }));
    }
    optimizer.applyGradients(accumulator.take());
  }
  return bytes(variables);
}

function begin(options: object): { training: Training; variables: Variable[] } {
  const variables = newVariables();
  const shared = { variables, optimizer: new AdamOptimizer(), globalStep: createGlobalStep() };
  return { training: trainInWorkers({ module: __filename, workers: 2, ...shared, ...options }), variables };
}

const checks: Readonly<Record<string, () => Promise<boolean>>> = {
  'has the bits of one thread': async () => {
    const { training, variables } = begin({ steps: 50 });
    await training.finished;
    return bytes(variables) === alone(50) && bytes(training.snapshot()) === bytes(variables);
  },
  'stops when it is told to': async () => {
    const { training, variables } = begin({});
    while (training.steps < 20) await new Promise((resolve) => setTimeout(resolve, 1));
    const steps = await training.stop();
    return bytes(variables) === alone(steps);
  },
  'replaces a worker that is terminated': async () => {
    const { training, variables } = begin({});
    while (training.steps < 20) await new Promise((resolve) => setTimeout(resolve, 1));
    await training.workers[1]!.terminate();
    const seen = training.steps;
    while (training.steps < seen + 5) await new Promise((resolve) => setTimeout(resolve, 1));
    const steps = await training.stop();
    return bytes(variables) === alone(steps);
  },
  'counts all steps, of workers that are terminated too': async () => {
    const metrics = Metrics.create({ threads: 2 });
    const { training } = begin({ data: metrics.share() });
    for (const rank of [1, 1, 0]) {
      const seen = training.steps;
      while (training.steps < seen + 20) await new Promise((resolve) => setTimeout(resolve, 1));
      await training.workers[rank]!.terminate();
    }
    const steps = await training.stop();
    const counted = Number(/^gradstep_steps_total (.*)$/m.exec(metrics.text())![1]);
    return steps - counted === 0 || steps - counted === 1; // rank 0 may have ended just before it counted
  },
  'steps without waiting': async () => {
    const { training } = begin({ steps: 100, mode: 'asynchronous', useLocking: true });
    return (await training.finished) === 100;
  },
};

async function main(): Promise<void> {
  let failed = 0;
  for (const [truth, check] of Object.entries(checks)) {
    const tooLong = new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 30_000).unref());
    const holds = await Promise.race([check(), tooLong]);
    if (!holds) failed++;
    console.log(`${holds ? 'true' : 'FALSE'}: training in workers ${truth}`);
  }
  console.log(`${Object.keys(checks).length - failed} passed, ${failed} failed`);
  process.exit(failed > 0 ? 1 : 0);
}

if (isMainThread) void main();
