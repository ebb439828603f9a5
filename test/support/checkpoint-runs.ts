import {
  AdamOptimizer,
  compileStep,
  cosineDecayRestarts,
  createGlobalStep,
  DynamicLossScale,
  ExponentialMovingAverage,
  GradientAccumulator,
  IndexedSlices,
  MixedPrecisionLossScaleOptimizer,
  MomentumOptimizer,
  noisyLinearCosineDecay,
  ops,
  RandomGenerator,
  SyncReplicasOptimizer,
  tensor,
  variable,
  type Optimizer,
  type GlobalStep,
} from 'gradstep';
import type { CheckpointParts, JsonValue } from 'gradstep/checkpoint';
import { middling, optimizerCases, type OptimizerCase } from './optimizer-cases';

/** A training that can be stopped and resumed: what a checkpoint of it is of, and one step. */
export interface Training {
  readonly parts: CheckpointParts & { readonly globalStep: GlobalStep };
  readonly step: (i: number) => unknown;
  /** What is remembered with it, and taken up again. */
  readonly metadata?: () => JsonValue;
  readonly resume?: (metadata: JsonValue) => void;
}

/** Numbers that look like nothing, the same for each i. */
const noise = (i: number, length: number): Float32Array =>
  Float32Array.from({ length }, (_, k) => Math.sin(12.9898 * (i + 1) + 78.233 * (k + 1)) * 2);

const rowsAt = (i: number): IndexedSlices =>
  new IndexedSlices(tensor(noise(i, 6), [3, 2]), [i % 4, (i + 2) % 4, i % 4], [4, 2]);

function weights() {
  const dense = variable(noise(1000, 37), { name: 'layer/dense' });
  const rows = variable(noise(1001, 8), { shape: [4, 2], name: 'layer/rows' });
  return { dense, rows, variables: [dense, rows] };
}

/** A dense and a sparse gradient a step, with averages of both. */
function trained(optimizer: Optimizer, globalStep = createGlobalStep()): Training {
  const { dense, rows, variables } = weights();
  const averages = new ExponentialMovingAverage(0.99, { zeroDebias: true });
  return {
    parts: { variables, optimizer, globalStep, averages },
    step: (i) => {
      optimizer.applyGradients(
        [
          [noise(i, 37), dense],
          [i % 7 === 6 ? noise(i, 8) : rowsAt(i), rows],
        ],
        { globalStep },
      );
      averages.apply(variables);
    },
  };
}

/** With a loss scale that finds gradients too large now and then. */
function scaled(inner: Optimizer, globalStep = createGlobalStep()): Training {
  const { dense, rows, variables } = weights();
  const optimizer = new MixedPrecisionLossScaleOptimizer(inner, new DynamicLossScale({ incrementPeriod: 5 }));
  return {
    parts: { variables, optimizer, globalStep },
    step: (i) => {
      const gradient = i % 11 === 10 ? new Float32Array(37).fill(Infinity) : noise(i, 37);
      optimizer.applyGradients(
        [
          [gradient, dense],
          [rowsAt(i), rows],
        ],
        { globalStep },
      );
      if (i % 11 === 10) globalStep.increment(); // it counts what it leaves out, so that 50 are 50
    },
  };
}

/** Three micro-batches a step, of which the 50th is in the middle. */
function accumulated(optimizer: Optimizer, globalStep = createGlobalStep()): Training {
  const { dense, rows, variables } = weights();
  const accumulator = new GradientAccumulator();
  return {
    parts: { variables, optimizer, globalStep, accumulator },
    step: (i) => {
      accumulator.add([
        [noise(i, 37), dense],
        [rowsAt(i), rows],
      ]);
      globalStep.increment();
      if (accumulator.count === 3) optimizer.applyGradients(accumulator.take());
    },
  };
}

/** Three replicas, two of which make a step. */
function replicated(inner: Optimizer, syncStep = createGlobalStep()): Training {
  const { dense, rows, variables } = weights();
  const globalStep = createGlobalStep();
  const optimizer = new SyncReplicasOptimizer(inner, { replicasToAggregate: 2, totalNumReplicas: 3 });
  return {
    parts: { variables, optimizer, globalStep, syncStep },
    step: (i) => {
      const free = [0, 1, 2].filter((replica) => !optimizer.isWaiting(replica));
      optimizer.applyGradients(
        [
          [noise(i, 37), dense],
          [rowsAt(i), rows],
        ],
        { globalStep: syncStep, replica: free[i % free.length]! },
      );
      globalStep.increment();
    },
  };
}

const others: Readonly<Record<string, () => Training>> = {
  'a loss scale': () => scaled(new AdamOptimizer()),
  'a loss scale of its own': () => {
    const lossScale = new DynamicLossScale({ incrementPeriod: 3 });
    const run = trained(new AdamOptimizer());
    return {
      parts: { ...run.parts, lossScale },
      step: (i) => {
        lossScale.update([i % 5 === 4 ? Float32Array.of(NaN) : noise(i, 2)]);
        run.step(i);
      },
    };
  },
  'an accumulator, in the middle of its three': () => accumulated(new AdamOptimizer()),
  'replicas, one of which waits': () => replicated(new AdamOptimizer()),
  'schedules, one with noise': () => {
    const globalStep = createGlobalStep();
    const learningRate = noisyLinearCosineDecay(0.1, globalStep, 80, { initialVariance: 0.5 });
    const momentum = cosineDecayRestarts(0.9, globalStep, 30);
    return trained(new MomentumOptimizer({ learningRate, momentum }), globalStep);
  },
  'groups, in two dtypes': () => {
    const single = variable(noise(1, 9), { name: 'single' });
    const double = variable(Float64Array.from(noise(2, 7)), { name: 'double', dtype: 'float64' });
    const globalStep = createGlobalStep();
    const optimizer = new AdamOptimizer({ groups: [{ variables: [double], learningRate: 0.1, beta1: 0.5 }] });
    return {
      parts: { variables: [single, double], optimizer, globalStep },
      step: (i) => {
        const gradients = [
          [noise(i, 9), single],
          [Float64Array.from(noise(i + 500, 7)), double],
        ] as const;
        optimizer.applyGradients(i % 3 === 0 ? gradients : gradients.slice(0, 1), { globalStep });
      },
    };
  },
  'a compiled step with dropout': () => {
    const w = variable(noise(3, 64), { name: 'w' });
    const random = new RandomGenerator(11);
    const optimizer = new AdamOptimizer({ learningRate: 0.01 });
    const globalStep = createGlobalStep();
    const step = compileStep({
      inputs: { x: { shape: [64] } },
      loss: ({ x }) => ops.l2Loss(ops.mul(ops.dropout(w, { rate: 0.4, generator: random }), x)),
      ...{ optimizer, globalStep, clip: { globalNorm: 1 } },
    });
    return { parts: { variables: [w], optimizer, globalStep, random }, step: (i) => step.runSync({ x: noise(i, 64) }) };
  },
  'a place in data that are shuffled for each epoch': () => {
    const random = new RandomGenerator(5);
    const run = trained(new AdamOptimizer());
    let place = { epoch: -1, next: 7, order: [] as number[] };
    return {
      parts: { ...run.parts, random },
      step: () => {
        if (place.next === 7) place = { epoch: place.epoch + 1, next: 0, order: Array.from(random.permutation(7)) };
        run.step(100 * place.epoch + place.order[place.next++]!);
      },
      metadata: () => place,
      resume: (metadata) => (place = structuredClone(metadata) as typeof place),
    };
  },
  'dropout and shuffling': () => {
    const w = variable(noise(0, 64), { name: 'w' });
    const random = new RandomGenerator(3);
    const optimizer = new MomentumOptimizer({ learningRate: 0.01, momentum: 0.9 });
    const globalStep = createGlobalStep();
    return {
      parts: { variables: [w], optimizer, globalStep, random },
      step: () => {
        optimizer.minimize(() => ops.l2Loss(ops.dropout(w, { rate: 0.5, generator: random })), { globalStep });
        random.permutation(5);
      },
    };
  },
  'two optimizers under names': () => {
    const { dense, rows, variables } = weights();
    const [generator, discriminator] = [new AdamOptimizer(), new AdamOptimizer({ beta1: 0.5 })];
    const globalStep = createGlobalStep();
    return {
      parts: { variables, globalStep, generator, discriminator },
      step: (i) => {
        generator.applyGradients([[noise(i, 37), dense]], { globalStep });
        discriminator.applyGradients([[rowsAt(i), rows]]);
      },
    };
  },
};

const kinds = {
  '': trained,
  ' with a loss scale': scaled,
  ' with an accumulator': accumulated,
  ' of replicas': replicated,
};

function ofOptimizer(each: OptimizerCase): [name: string, start: () => Training][] {
  return Object.entries(kinds).map(([kind, start]) => [
    each.name + kind,
    () => {
      const { optimizer, globalStep } = each.create(middling(each));
      return start(optimizer, globalStep);
    },
  ]);
}

/** Trainings by names that are good names of folders. */
export const trainings: Readonly<Record<string, () => Training>> = {
  ...others,
  ...Object.fromEntries(optimizerCases.flatMap(ofOptimizer)),
};
