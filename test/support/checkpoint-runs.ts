import {
  AdamOptimizer,
  createGlobalStep,
  DynamicLossScale,
  ExponentialMovingAverage,
  GradientAccumulator,
  IndexedSlices,
  MixedPrecisionLossScaleOptimizer,
  MomentumOptimizer,
  ops,
  RandomGenerator,
  SyncReplicasOptimizer,
  tensor,
  variable,
  type Optimizer,
  type GlobalStep,
} from 'gradstep';
import type { CheckpointParts } from 'gradstep/checkpoint';
import { middling, optimizerCases } from './optimizer-cases';

/** A training that can be stopped and resumed: what a checkpoint of it is of, and one step. */
export interface Training {
  readonly parts: CheckpointParts & { readonly globalStep: GlobalStep };
  readonly step: (i: number) => unknown;
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

const others: Readonly<Record<string, () => Training>> = {
  'a loss scale': () => {
    const { dense, rows, variables } = weights();
    const scale = new DynamicLossScale({ incrementPeriod: 5 });
    const optimizer = new MixedPrecisionLossScaleOptimizer(new AdamOptimizer(), scale);
    const globalStep = createGlobalStep();
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
  },
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
  'an accumulator, in the middle of its three': () => {
    const { dense, rows, variables } = weights();
    const accumulator = new GradientAccumulator();
    const optimizer = new AdamOptimizer();
    const globalStep = createGlobalStep();
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
  },
  'replicas, one of which waits': () => {
    const { dense, rows, variables } = weights();
    const syncStep = createGlobalStep();
    const globalStep = createGlobalStep();
    const optimizer = new SyncReplicasOptimizer(new AdamOptimizer(), { replicasToAggregate: 2, totalNumReplicas: 3 });
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

/** Trainings by names that are good names of folders. */
export const trainings: Readonly<Record<string, () => Training>> = {
  ...others,
  ...Object.fromEntries(
    optimizerCases.map((each) => [
      each.name,
      () => {
        const { optimizer, globalStep } = each.create(middling(each));
        return trained(optimizer, globalStep);
      },
    ]),
  ),
};
