import {
  AdamOptimizer,
  createGlobalStep,
  customGradient,
  ExponentialMovingAverage,
  GradientAccumulator,
  GradientDescentOptimizer,
  keep,
  MixedPrecisionLossScaleOptimizer,
  MomentumOptimizer,
  ops,
  OptimizerWrapper,
  RandomGenerator,
  variable,
  type GradientsAndVariables,
  type Optimizer,
  type Tensor,
  type Variable,
} from 'gradstep';
import {
  broadcastState,
  checkSameState,
  DistributedOptimizer,
  type Communicator,
  type DistributedOptimizerOptions,
} from 'gradstep/parallel';
import { Training, type Scenario } from './batches';
import { models, stateOf } from './models';
import { hex, noise } from './takeover';

// What ranks do together, by name: the same function in each.

export interface TrainOrder {
  readonly model: string;
  readonly steps: number;
  readonly options?: DistributedOptimizerOptions;
}

/** Each rank has one share of each step. */
function trainTogether(communicator: Communicator, { model: name, steps, options }: TrainOrder) {
  const model = models[name]!;
  const variables = model.variables();
  const globalStep = createGlobalStep();
  const optimizer: Optimizer = new DistributedOptimizer(model.optimizer(globalStep), communicator, options);
  const trained = variables.filter(({ trainable }) => trainable);
  optimizer.createSlots(trained);
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) {
    const loss = () => model.loss(variables, step * communicator.size + communicator.rank);
    const mean = optimizer.computeGradients(loss, { varList: trained });
    losses.push(mean.loss.item());
    optimizer.applyGradients(model.transform?.(mean) ?? mean, { globalStep });
  }
  return { state: stateOf(variables, optimizer, globalStep), losses };
}

/** Each rank has one batch of each step of a scenario. */
function scenario(communicator: Communicator, order: Scenario): object {
  const { fusionBytes } = order;
  const training = new Training(order, (inner) => new DistributedOptimizer(inner, communicator, { fusionBytes }));
  order.steps.forEach((_, step) => {
    const loss = () => training.loss(step, communicator.rank);
    training.apply(training.optimizer.computeGradients(loss, { varList: training.variables }));
  });
  return training.state;
}

/** What one rank does wrong, in the second of three steps; whoever throws goes on with the third. */
export type Mistake =
  | 'the loss throws'
  | 'the way back throws'
  | 'nothing is a loss'
  | 'the loss is asked for within another'
  | 'another variable'
  | 'one more variable'
  | 'another order'
  | 'another shape';

function mistaken(communicator: Communicator, { mistake, rank, fusionBytes = 0 }: MistakeOrder) {
  const [a, b, c] = ['a', 'b', 'c'].map((name) => variable([1, 2, 3], { name }));
  const other = variable([[1, 2, 3]], { name: 'b' });
  const optimizer = new DistributedOptimizer(
    new MomentumOptimizer({ learningRate: 0.1, momentum: 0.9 }),
    communicator,
    {
      fusionBytes,
    },
  );
  const plain = (variables: readonly Variable[]) => (): Tensor =>
    variables.map((one) => ops.l2Loss(one)).reduce((sum, term) => ops.add(sum, term));
  const losses: Readonly<Record<Mistake, () => Tensor>> = {
    'the loss throws': () => {
      throw new RangeError('no such batch');
    },
    'the way back throws': () => {
      const bad = customGradient((x) => ({
        value: ops.l2Loss(x),
        gradient: () => {
          throw new RangeError('no way back');
        },
      }));
      return ops.add(bad(a!), ops.l2Loss(b!)); // b is known, and on its way, before a is come to
    },
    'nothing is a loss': () => undefined as never,
    'the loss is asked for within another': () => optimizer.computeGradients(plain([a!, b!])).loss,
    'another variable': plain([a!, c!]),
    'one more variable': plain([a!, b!, c!]),
    'another order': plain([b!, a!]),
    'another shape': plain([a!, other]),
  };
  const outcomes: string[] = [];
  for (let step = 0; step < 3; step++) {
    const loss = step === 1 && communicator.rank === rank ? losses[mistake] : plain([a!, b!]);
    try {
      optimizer.minimize(loss);
      outcomes.push(hex(a!.data) + hex(b!.data));
    } catch (error) {
      outcomes.push(`${(error as Error).name}: ${(error as Error).message}`);
    }
  }
  return outcomes;
}

export interface MistakeOrder {
  readonly mistake: Mistake;
  readonly rank: number;
  readonly fusionBytes?: number;
}

/** A rank leaves while others wait for it. */
function left(communicator: Communicator, { rank }: { rank: number }): string {
  const w = variable([1, 2]);
  const optimizer = new DistributedOptimizer(new AdamOptimizer(), communicator);
  optimizer.minimize(() => ops.l2Loss(w));
  if (communicator.rank === rank) process.exit(3);
  optimizer.minimize(() => ops.l2Loss(w));
  return 'made';
}

/** A way of computing gradients that returns what does not fit, which nobody else can know of. */
function misfit(communicator: Communicator): void {
  const w = variable([1, 2], { name: 'w' });
  class Misfit extends OptimizerWrapper {
    constructor() {
      super(new AdamOptimizer());
    }

    override computeGradients(loss: () => Tensor): GradientsAndVariables {
      const pairs = super.computeGradients(loss);
      if (communicator.rank === 1)
        pairs[0]![0] = {
          get factor() {
            throw new Error('out of memory');
          },
        } as never;
      return pairs;
    }
  }
  new DistributedOptimizer(new Misfit(), communicator).minimize(() => ops.l2Loss(w));
}

/** Parts of a training, as far as this rank has come. */
function partsAfter(steps: number, seed: number) {
  const variables = [
    variable([seed, 2, 3], { name: 'w' }),
    variable(Float64Array.of(seed, 1), { name: 'v', shape: [2, 1] }),
    variable([seed], { name: 'frozen', trainable: false }),
  ];
  const [w, v] = variables;
  const optimizer = new MixedPrecisionLossScaleOptimizer(new AdamOptimizer({ learningRate: 0.1 }), 'dynamic');
  const averages = new ExponentialMovingAverage(0.9);
  const random = new RandomGenerator(seed);
  const globalStep = createGlobalStep();
  for (let i = 0; i < steps; i++) {
    optimizer.minimize(() => ops.add(ops.l2Loss(w!), ops.cast(ops.l2Loss(v!), 'float32')), { globalStep });
    averages.apply([w!, v!]);
    random.uniform([3]);
  }
  return { variables, optimizer, globalStep, averages, random };
}

const stateOfParts = ({ variables, optimizer, globalStep, averages, random }: ReturnType<typeof partsAfter>) =>
  Object.fromEntries(
    [...variables, optimizer, globalStep, averages, random]
      .flatMap((part) => part.state())
      .map(({ key, dtype, shape, memory }) => [key, `${dtype} ${shape.join()} ${hex(memory)}`]),
  );

/** One rank's state to all; all have made as many steps as is said. */
function broadcast(communicator: Communicator, { steps, root }: { steps: readonly number[]; root: number }) {
  const { rank } = communicator;
  const parts = partsAfter(steps[rank]!, rank + 1);
  const before = stateOfParts(parts);
  broadcastState(parts, communicator, { root });
  const after = stateOfParts(parts);
  checkSameState(parts, communicator);
  // It goes on as the root does, too.
  for (let i = 0; i < 2; i++) parts.optimizer.minimize(() => ops.l2Loss(parts.variables[0]!));
  parts.random.uniform([2]);
  checkSameState(parts, communicator);
  return { before, after };
}

/** Parts that a rank cannot take over. */
function misplaced(communicator: Communicator, { rank }: { rank: number }) {
  const isOther = communicator.rank === rank;
  const w = variable([communicator.rank, 2], { name: 'w', shape: isOther ? [2, 1] : [2] });
  const before = hex(w.data);
  try {
    broadcastState({ variables: [w] }, communicator);
    return 'done';
  } catch (error) {
    communicator.barrier(); // they still meet
    return [`${(error as Error).name}: ${(error as Error).message}`, hex(w.data) === before];
  }
}

/** Compares the state of ranks, of which some have something else. */
function compare(communicator: Communicator, { different }: { different: Readonly<Record<number, string>> }): string {
  const { rank } = communicator;
  const how = different[rank];
  const whole = partsAfter(2, 1);
  const parts = how === 'slots' ? { ...whole, optimizer: partsAfter(0, 1).optimizer } : whole;
  const [w] = parts.variables;
  if (how === 'value') w!.data[1] = 7;
  if (how === 'step') parts.globalStep.increment();
  const variables =
    how === 'shape' ? [variable([[1, 2, 3]], { name: 'w' }), ...parts.variables.slice(1)] : parts.variables;
  checkSameState({ ...parts, variables }, communicator);
  return 'the same';
}

/** Ranks that drift apart after the third step. */
function drifting(communicator: Communicator, options: DistributedOptimizerOptions): number {
  const w = variable([1, 2], { name: 'w' });
  const optimizer = new DistributedOptimizer(new AdamOptimizer(), communicator, options);
  for (let step = 0; step < 8; step++) {
    try {
      optimizer.minimize(() => ops.l2Loss(w));
    } catch {
      return step;
    }
    if (step === 2 && communicator.rank === 1) w.data[0] = 0;
  }
  return 8;
}

/** Ranks that begin with different values. */
function beginning(communicator: Communicator, options: DistributedOptimizerOptions): string {
  const w = variable([communicator.rank === 1 ? 5 : 1, 2], { name: 'w' });
  const optimizer = new DistributedOptimizer(new AdamOptimizer(), communicator, options);
  optimizer.minimize(() => ops.l2Loss(w));
  return 'made';
}

/** Several batches to an exchange, and a rank that has none. */
function gathering(communicator: Communicator, { batches }: { batches: number }) {
  const { rank } = communicator;
  const w = variable([1, 2, 3], { name: 'w' });
  const table = variable([[1, 2], [3, 4], [5, 6]], { name: 'table' }); // prettier-ignore
  const optimizer = new DistributedOptimizer(new AdamOptimizer({ learningRate: 0.1 }), communicator);
  const accumulator = new GradientAccumulator();
  const losses: number[] = [];
  for (let step = 0; step < 4; step++) {
    for (let batch = 0; batch < batches; batch++) {
      accumulator.add(optimizer.optimizer.computeGradients(() => batchLoss(w, table, step, rank, batch)));
    }
    const hasNone = step === 2 && rank === 0;
    const pairs = accumulator.take();
    const mean = optimizer.averageGradients(hasNone ? [[null, table], [null, w]] : pairs); // prettier-ignore
    losses.push(mean.loss.item());
    optimizer.applyGradients(mean);
  }
  return { w: hex(w.data), table: hex(table.data), losses };
}

export function batchLoss(w: Variable, table: Variable, step: number, rank: number, batch: number): Tensor {
  const x = noise(100 * step + 10 * rank + batch, 3);
  const looked = ops.gather(table, Int32Array.of((step + rank) % 3, batch % 3));
  return ops.add(ops.reduceMean(ops.square(ops.mul(w, x))), ops.reduceMean(ops.square(looked)));
}

/** Steps off the event loop, of which nobody waits for the last before the next begins. */
async function asynchronous(communicator: Communicator, { waits }: { waits: boolean }) {
  const w = variable(noise(1, 5000), { name: 'w' });
  const optimizer = new DistributedOptimizer(new AdamOptimizer({ learningRate: 0.1 }), communicator);
  const steps: Promise<unknown>[] = [];
  for (let step = 0; step < 6; step++) {
    // The gradient does not depend on w, so that it does not matter when steps are made.
    const x = noise(10 * step + communicator.rank, 5000);
    const made = optimizer.minimizeAsync(() => ops.reduceSum(ops.mul(w, x)));
    steps.push(made);
    if (waits) await made;
  }
  await Promise.all(steps);
  return hex(w.data);
}

/** What remains readable of gradients of earlier steps. */
function readable(communicator: Communicator): unknown {
  const w = variable([1, 2, 3], { name: 'w' });
  const optimizer = new DistributedOptimizer(new AdamOptimizer({ learningRate: 0 }), communicator);
  const gradientOf = (step: number) => {
    const pairs = optimizer.computeGradients(() => ops.reduceSum(ops.mul(w, Float32Array.of(step, step, step))));
    return { pairs, gradient: pairs[0]![0] as Tensor };
  };
  const first = gradientOf(1); // nobody applies it
  const second = gradientOf(2);
  optimizer.applyGradients(second.pairs);
  const kept = gradientOf(3);
  keep(kept.gradient);
  optimizer.applyGradients(kept.pairs);
  const last = gradientOf(4);
  const read = ({ gradient }: { gradient: Tensor }): string => {
    try {
      return gradient.data.join();
    } catch (error) {
      return (error as Error).message;
    }
  };
  return [first, kept, last, second].map(read);
}

/** Losses that take turns with variables of their own. */
function turns(communicator: Communicator): string {
  const [a, b] = [variable(noise(1, 40), { name: 'a' }), variable(noise(2, 30), { name: 'b' })];
  const optimizer = new DistributedOptimizer(new AdamOptimizer({ learningRate: 0.1 }), communicator, {
    fusionBytes: 64,
  });
  for (let step = 0; step < 6; step++) {
    const [one, other] = step % 2 === 0 ? [a, b] : [b, a];
    const x = 1 + communicator.rank + step;
    optimizer.minimize(() => ops.mul(ops.mul(ops.l2Loss(one), ops.l2Loss(other)), x), { varList: [one] });
  }
  checkSameState({ variables: [a, b], optimizer }, communicator);
  return hex(a.data) + hex(b.data);
}

/** An optimizer that one rank makes anew in the middle. */
function anew(communicator: Communicator): string {
  const w = variable(noise(1, 40), { name: 'w' });
  let optimizer = new DistributedOptimizer(new GradientDescentOptimizer({ learningRate: 0.1 }), communicator);
  for (let step = 0; step < 4; step++) {
    if (step === 2 && communicator.rank === 1) {
      optimizer = new DistributedOptimizer(new GradientDescentOptimizer({ learningRate: 0.1 }), communicator);
    }
    optimizer.minimize(() => ops.mul(ops.l2Loss(w), 1 + communicator.rank));
  }
  return hex(w.data);
}

export type Program = (communicator: Communicator, order: never) => unknown;

export const programs: Readonly<Record<string, Program>> = {
  trainTogether,
  scenario,
  mistaken,
  left,
  misfit,
  broadcast,
  misplaced,
  compare,
  drifting,
  beginning,
  gathering,
  asynchronous,
  readable,
  turns,
  anew,
};
