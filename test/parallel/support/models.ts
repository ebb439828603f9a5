import {
  AdagradDAOptimizer,
  AdamOptimizer,
  clipByGlobalNorm,
  createGlobalStep,
  DynamicLossScale,
  GradientAccumulator,
  MixedPrecisionLossScaleOptimizer,
  MomentumOptimizer,
  ops,
  tensor,
  variable,
  type GlobalStep,
  type GradientAndVariable,
  type GradientsAndVariables,
  type Optimizer,
  type Tensor,
  type Variable,
} from 'gradstep';
import { hex, noise } from './takeover';

/** A model that is trained here and in workers, to compare the two. */
export interface Model {
  readonly variables: () => Variable[];
  readonly optimizer: (globalStep: GlobalStep) => Optimizer;
  readonly loss: (variables: readonly Variable[], batch: number) => Tensor;
  /** The same loss of what is fed to a compiled one. */
  readonly compiled?: (variables: readonly Variable[], x: Tensor, y: Tensor) => Tensor;
  readonly transform?: (gradients: GradientsAndVariables) => Iterable<GradientAndVariable>;
}

const layers = () => [
  variable(noise(1, 20 * 12), { name: 'kernel', shape: [20, 12] }),
  variable(noise(2, 12), { name: 'bias' }),
  variable(noise(3, 12 * 3), { name: 'kernel2', shape: [12, 3] }),
];

export const mlpBatch = (batch: number) => ({ x: noise(batch + 100, 8 * 20), y: noise(batch, 24) });

function mlpOf([kernel, bias, kernel2]: readonly Variable[], x: Tensor, y: Tensor): Tensor {
  const hidden = ops.reluLayer(x, kernel!, bias!);
  return ops.reduceMean(ops.square(ops.sub(ops.matMul(hidden, kernel2!), y)));
}

function mlp(variables: readonly Variable[], batch: number): Tensor {
  const { x, y } = mlpBatch(batch);
  return mlpOf(variables, tensor(x, [8, 20]), tensor(y, [8, 3]));
}

const rows = () => [
  variable(noise(1, 40), { name: 'table', shape: [10, 4] }),
  variable(noise(2, 4), { name: 'w' }),
  variable(noise(4, 40), { name: 'other', shape: [10, 4] }),
  variable(noise(5, 4), { name: 'frozen', trainable: false }),
];

/** Rows of one table; of the other rows now and then, all of it now and then, and nothing now and then. */
function embedding([table, w, other, frozen]: readonly Variable[], batch: number): Tensor {
  const indices = Int32Array.of(batch % 10, (3 * batch) % 10, batch % 10);
  let looked = ops.mul(ops.gather(table!, indices), ops.add(w!, frozen!));
  if (batch % 3 === 0) looked = ops.mul(looked, ops.gather(other!, Int32Array.of(1, batch % 7, 3)));
  const loss = ops.reduceMean(ops.square(looked));
  return batch % 5 === 0 ? ops.add(loss, ops.reduceMean(ops.square(other!))) : loss;
}

export const models: Readonly<Record<string, Model>> = {
  dense: { variables: layers, loss: mlp, optimizer: () => new AdamOptimizer({ learningRate: 0.05 }) },
  clipped: {
    variables: layers,
    loss: mlp,
    optimizer: (globalStep) =>
      new MomentumOptimizer({ learningRate: () => 0.1 / (1 + globalStep.value), momentum: 0.9, useNesterov: true }),
    transform: (gradients) => clipByGlobalNorm(gradients, 0.5)[0],
  },
  compiled: {
    variables: layers,
    loss: mlp,
    compiled: mlpOf,
    optimizer: (globalStep) => new AdamOptimizer({ learningRate: () => 0.05 / (1 + globalStep.value) }),
    transform: (gradients) => clipByGlobalNorm(gradients, 0.5)[0],
  },
  sparse: { variables: rows, loss: embedding, optimizer: () => new AdamOptimizer({ learningRate: 0.05 }) },
  // The gradient is 1 everywhere: the mean of any number of them is exactly that.
  line: {
    variables: () => [variable(noise(1, 1000), { name: 'w' })],
    loss: ([w]) => ops.reduceSum(w!),
    optimizer: () => new MomentumOptimizer({ learningRate: 0.01, momentum: 0.5 }),
  },
  counted: {
    variables: layers,
    loss: mlp,
    optimizer: (globalStep) => new AdagradDAOptimizer({ learningRate: 0.1, globalStep }),
  },
  scaled: {
    variables: layers,
    // Too large for a float32 now and then, so that steps are left out.
    loss: (variables, batch) => ops.mul(mlp(variables, batch), batch % 11 === 5 ? 1e37 : 1),
    optimizer: () =>
      new MixedPrecisionLossScaleOptimizer(
        new AdamOptimizer(),
        new DynamicLossScale({ initialLossScale: 64, incrementPeriod: 2 }),
      ),
  },
};

/** Trains here: each step of the mean of the gradients of its shares, gathered one after the other. */
export function trainAlone(name: string, steps: number, shares: number) {
  const model = models[name]!;
  const variables = model.variables();
  const globalStep = createGlobalStep();
  const optimizer = model.optimizer(globalStep);
  const trained = variables.filter(({ trainable }) => trainable);
  optimizer.createSlots(trained);
  const accumulator = new GradientAccumulator();
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) {
    for (let share = 0; share < shares; share++) {
      const loss = () => model.loss(variables, step * shares + share);
      accumulator.add(optimizer.computeGradients(loss, { varList: trained }));
    }
    const mean = accumulator.take();
    losses.push(mean.loss.item());
    optimizer.applyGradients(model.transform?.(mean) ?? mean, { globalStep });
  }
  return { state: stateOf(variables, optimizer, globalStep), losses };
}

/** The same, of means over processes of the means of their shares. */
export function trainGrouped(name: string, steps: number, processes: number, shares: number) {
  const model = models[name]!;
  const variables = model.variables();
  const globalStep = createGlobalStep();
  const optimizer = model.optimizer(globalStep);
  const trained = variables.filter(({ trainable }) => trainable);
  optimizer.createSlots(trained);
  const [inner, outer] = [new GradientAccumulator(), new GradientAccumulator()];
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) {
    for (let process = 0; process < processes; process++) {
      for (let share = 0; share < shares; share++) {
        const loss = () => model.loss(variables, (step * processes + process) * shares + share);
        inner.add(optimizer.computeGradients(loss, { varList: trained }));
      }
      outer.add(inner.take());
    }
    const mean = outer.take();
    losses.push(mean.loss.item());
    optimizer.applyGradients(model.transform?.(mean) ?? mean, { globalStep });
  }
  return { state: stateOf(variables, optimizer, globalStep), losses };
}

/** All bytes of a training's state. */
export function stateOf(
  variables: readonly Variable[],
  optimizer: Optimizer,
  globalStep: GlobalStep,
): Record<string, string> {
  const entries = [...variables, optimizer, globalStep].flatMap((part) => part.state());
  return Object.fromEntries(entries.map(({ key, memory }) => [key, hex(memory)]));
}
