import {
  AdamOptimizer,
  clipByNorm,
  compileStep,
  createGlobalStep,
  DynamicLossScale,
  ExponentialMovingAverage,
  MixedPrecisionLossScaleOptimizer,
  ops,
  variable,
  type Inputs,
  type Optimizer,
  type Tensor,
  type Variable,
} from 'gradstep';
import { DistributedOptimizer, type Communicator } from 'gradstep/parallel';
import { begin, bytesOf, gradients, numbers, type Scenario, type Trained } from './sharding';
import { stateOfRank, type RankState } from './sharding-programs';

// Compiled steps of optimizers whose slots are divided by ranks: the same program in each of them.

export interface CompiledOrder {
  readonly scenario: Scenario;
  readonly fusionBytes: number;
  readonly isAsync: boolean;
}

const rowsGiven = 4;

/** All ranks have a gradient of every variable there. */
export const withAllGradients = (scenario: Scenario): Scenario => ({
  ...scenario,
  variables: scenario.variables.map((one) => ({ ...one, gradients: one.gradients === 'rows' ? 'rows' : 'dense' })),
});

const isByRows = ({ variables: forms }: Scenario, { shape }: Variable, i: number): boolean =>
  forms[i]!.gradients === 'rows' && shape.length > 0 && shape[0] !== 0;

/** A loss of inputs that has these as its gradients. */
function lossOf(scenario: Scenario, variables: readonly Variable[]) {
  const inputs: Record<string, { shape: readonly number[]; dtype: 'float32' | 'float64' | 'int32' }> = {};
  variables.forEach((one, i) => {
    const { shape, dtype } = one;
    const isSparse = isByRows(scenario, one, i);
    inputs[`g${i}`] = { shape: isSparse ? [rowsGiven, ...shape.slice(1)] : shape, dtype };
    if (isSparse) inputs[`at${i}`] = { shape: [rowsGiven], dtype: 'int32' };
  });
  const loss = (given: Record<string, Tensor>): Tensor => {
    const terms = variables.map((one, i) => {
      const x = isByRows(scenario, one, i) ? ops.gather(one, given[`at${i}`] as never) : one;
      return ops.cast(ops.reduceSum(ops.mul(x, given[`g${i}`]!)), 'float32');
    });
    return terms.slice(1).reduce<Tensor>((sum, term) => ops.add(sum, term), terms[0]!);
  };
  return { inputs: inputs as Inputs, loss };
}

function batchOf(scenario: Scenario, trained: Trained, step: number, rank: number) {
  const pairs = gradients(scenario, trained, step, rank);
  return Object.fromEntries(
    pairs.flatMap(([gradient], i): [string, unknown][] => {
      if (!('indices' in gradient!)) return [[`g${i}`, gradient!.data]];
      return [
        [`g${i}`, gradient.values.data],
        [`at${i}`, gradient.indices],
      ];
    }),
  );
}

async function train(order: CompiledOrder, communicator: Communicator): Promise<RankState> {
  const { scenario, fusionBytes, isAsync } = order;
  const { optimizer: inner, ...trained } = begin(scenario);
  const optimizer = new DistributedOptimizer(inner, communicator, { shardState: true, fusionBytes });
  const { inputs, loss } = lossOf(scenario, trained.variables);
  const step = compileStep({
    inputs,
    loss: loss,
    optimizer,
    varList: trained.variables,
    globalStep: trained.globalStep,
    ...(scenario.clip && { clip: scenario.clip }),
  });
  const batches = Array.from({ length: scenario.steps }, (_, at) => {
    return batchOf(scenario, { ...trained, optimizer }, at, communicator.rank);
  });
  if (isAsync) await Promise.all(batches.map((batch) => step.run(batch as never)));
  else for (const batch of batches) step.runSync(batch as never);
  return stateOfRank({ ...trained, optimizer });
}

/** Trains as each order says. */
export async function trainCompiled(communicator: Communicator, orders: readonly CompiledOrder[]) {
  const states: RankState[] = [];
  for (const order of orders) states.push(await train(order, communicator));
  return states;
}

const block = 2 ** 14;
const text = (memory: ArrayBufferView): string => Buffer.from(bytesOf(memory)).toString('base64');

/**
 * What can be around a step: a loss scale, parts that are accumulated, a constraint that becomes a part of the program or cannot,
 * averages. @returns what differs from the same without `shardState`.
 */
export function surroundings(communicator: Communicator): string[] {
  const wrong: string[] = [];
  for (const constraint of ['none', 'traced', 'in JavaScript'] as const) {
    for (const isScaled of [false, true]) {
      for (const accumulate of [undefined, 2]) {
        const [whole, divided] = [false, true].map((shardState) => {
          return surrounded(communicator, { constraint, isScaled, accumulate, shardState });
        });
        const what = JSON.stringify({ constraint, isScaled, accumulate });
        if (whole!.values !== divided!.values) wrong.push(`${what}: other variables`);
        if (divided!.steps < (isScaled ? 1 : 4)) wrong.push(`${what}: ${divided!.steps} steps`);
        if (isScaled && divided!.steps === 4) wrong.push(`${what}: nothing was left out`);
        if (whole!.found !== divided!.found) wrong.push(`${what}: ${divided!.found}, not ${whole!.found}`);
      }
    }
  }
  return wrong;
}

interface Surroundings {
  readonly constraint: 'none' | 'traced' | 'in JavaScript';
  readonly isScaled: boolean;
  readonly accumulate: number | undefined;
  readonly shardState: boolean;
}

function surrounded(communicator: Communicator, { constraint, isScaled, accumulate, shardState }: Surroundings) {
  const constraints = {
    none: undefined,
    traced: (value: Tensor) => clipByNorm(value, 3),
    'in JavaScript': (value: Tensor) => Float32Array.from(value.data, (x) => Math.max(-0.2, x)),
  };
  const of = constraints[constraint];
  const w = variable(numbers(1, 2 * block + 6, 'float32'), { name: 'w', ...(of && { constraint: of }) });
  const b = variable(numbers(2, 6, 'float32'), { name: 'b' });
  const distributed = new DistributedOptimizer(new AdamOptimizer({ learningRate: 0.1 }), communicator, { shardState });
  const scale = () =>
    new DynamicLossScale({ initialLossScale: accumulate === undefined ? 2 ** 99 : 2 ** 102, incrementPeriod: 2 });
  const optimizer: Optimizer = isScaled ? new MixedPrecisionLossScaleOptimizer(distributed, scale()) : distributed;
  const averages = new ExponentialMovingAverage(0.5);
  const globalStep = createGlobalStep();
  const step = compileStep({
    inputs: { x: { shape: [2, 2 * block + 6] } },
    loss: ({ x }) => ops.add(ops.reduceSum(ops.square(ops.mul(x, w))), ops.reduceSum(ops.square(b))),
    optimizer,
    averages,
    globalStep,
    clip: { globalNorm: 4 },
    ...(accumulate !== undefined && { accumulate }),
  });
  const found = Array.from({ length: 4 }, (_, at) => {
    const x = numbers(100 * at + communicator.rank, 2 * (2 * block + 6), 'float32').map((one) => one * 1e4);
    return step.runSync({ x: Float32Array.from(x) });
  });
  const values = [w, b, averages.average(w)].map((one) => one && text(one.data));
  return { values: values.join(), found: JSON.stringify([found, globalStep.value]), steps: globalStep.value };
}

/** A checkpoint of ranks that do not compile is one for ranks that do, and the other way round: a step of each in turn. */
export function inTurn(communicator: Communicator): boolean {
  const model = () => {
    const w = variable(numbers(5, 3 * block + 1, 'float32'), { name: 'w' });
    const optimizer = new DistributedOptimizer(new AdamOptimizer(), communicator, { shardState: true });
    return { w, optimizer, loss: () => ops.reduceSum(ops.square(w)) };
  };
  const [own, other] = [model(), model()];
  const step = compileStep({ inputs: {}, loss: own.loss, optimizer: own.optimizer });
  const before = own.optimizer.shardOf(own.w);
  for (let i = 0; i < 4; i++) {
    if (i % 2 === 0) step.runSync({});
    else own.optimizer.minimize(own.loss);
    other.optimizer.minimize(other.loss);
  }
  const again = model();
  const late = compileStep({ inputs: {}, loss: again.loss, optimizer: again.optimizer });
  again.optimizer.restore(own.optimizer.state(), { variables: [again.w] });
  again.w.assign(own.w.data);
  late.runSync({});
  other.optimizer.minimize(other.loss);
  step.runSync({});
  const stateOf = ({ w, optimizer }: typeof own) =>
    [w.data, ...optimizer.state().map(({ memory }) => memory)].map(text);
  const [ofOwn, ...others] = [own, other, again].map((one) => stateOf(one).join());
  return before !== null && others.every((one) => one === ofOwn);
}
