import {
  MixedPrecisionLossScaleOptimizer,
  ops,
  RandomGenerator,
  variable,
  compileStep,
  createGlobalStep,
  type Optimizer,
} from 'gradstep';
import { AdamOptimizer } from 'gradstep';
import { DistributedOptimizer, type Communicator } from 'gradstep/parallel';
import { models, stateOf } from '../parallel/support/models';
import { mlpBatch } from '../parallel/support/models';
import { bytesOf } from '../support/parity';
import {
  batchOf,
  compiled,
  compiledAsync,
  eagerStep,
  remains,
  worldOf,
  type Description,
  type World,
} from './programs';

// What ranks run in compiled steps, each with variables and an optimizer of its own, by name: the same function in each.

export interface Order {
  readonly description: Description;
  readonly fusionBytes: number;
  /** Whether a loss scale is around the exchange, else inside of it. */
  readonly isScaledOutside: boolean;
  /** Whether each rank has a part of the slots, where that can be: with no loss scale inside. */
  readonly isSharded: boolean;
}

function distributedWorld(
  communicator: Communicator,
  { description, fusionBytes, isScaledOutside, isSharded }: Order,
): World {
  const world = worldOf(description);
  const { optimizer } = world;
  const over = (inner: Optimizer) => {
    const shardState = isSharded && !(inner instanceof MixedPrecisionLossScaleOptimizer);
    return new DistributedOptimizer(inner, communicator, { fusionBytes, shardState });
  };
  if (!(optimizer instanceof MixedPrecisionLossScaleOptimizer) || !isScaledOutside) {
    const distributed = over(optimizer);
    return {
      ...world,
      optimizer: distributed,
      ranks: { local: optimizer, average: (mean) => distributed.averageGradients(mean) },
    };
  }
  const inner = over(optimizer.optimizer);
  const outer = new MixedPrecisionLossScaleOptimizer(inner, optimizer.lossScale);
  return { ...world, optimizer: outer, ranks: { local: optimizer, average: (mean) => inner.averageGradients(mean) } };
}

/** Runs both ways side by side. @returns what differs, in words. */
async function likeEager(
  communicator: Communicator,
  orders: readonly (Order & { readonly isAsync: boolean })[],
): Promise<string[]> {
  const wrong: string[] = [];
  for (const [number, order] of orders.entries()) {
    const { description, isAsync, isScaledOutside } = order;
    const [eager, other] = [distributedWorld(communicator, order), distributedWorld(communicator, order)];
    const run = (isAsync ? compiledAsync : compiled)(other, description);
    for (let step = 0; step < 3; step++) {
      const batch = batchOf(description, step * communicator.size + communicator.rank);
      const expected = eagerStep(eager, description, batch);
      const found = await run(batch);
      // There the eager loss is that which was scaled, over the scale.
      const isRounded = isScaledOutside && description.lossScale !== undefined && description.accumulate === undefined;
      const isClose = Math.abs(found.loss - expected.loss) <= 1e-5 * Math.abs(expected.loss);
      const isSame =
        (Object.is(found.loss, expected.loss) || (isRounded && isClose)) &&
        Object.is(found.norm, expected.norm) &&
        found.applied === expected.applied &&
        bytesOf(remains(other)) === bytesOf(remains(eager));
      if (!isSame) {
        wrong.push(`order ${number} step ${step}: ${JSON.stringify({ found, expected, order })}`);
        break;
      }
    }
  }
  return wrong;
}

/** Each rank has one share of each step, as `trainAlone` has them one after the other. */
function trainCompiled(communicator: Communicator, { steps, isAsync }: { steps: number; isAsync: boolean }) {
  const model = models['compiled']!;
  const variables = model.variables();
  const globalStep = createGlobalStep();
  const optimizer = new DistributedOptimizer(model.optimizer(globalStep), communicator);
  optimizer.createSlots(variables);
  const step = compileStep({
    inputs: { x: { shape: [8, 20] }, y: { shape: [8, 3] } },
    loss: ({ x, y }) => model.compiled!(variables, x, y),
    optimizer,
    globalStep,
    varList: variables,
    clip: { globalNorm: 0.5 },
  });
  const batches = Array.from({ length: steps }, (_, at) => mlpBatch(at * communicator.size + communicator.rank));
  const result = (losses: number[]) => ({ state: stateOf(variables, optimizer, globalStep), losses });
  if (!isAsync) return result(batches.map((batch) => step.runSync(batch).loss));
  return Promise.all(batches.map((batch) => step.run(batch))).then((all) => result(all.map(({ loss }) => loss)));
}

function smallStep(communicator: Communicator, columns = 3, shardState = false) {
  const table = variable(
    Array.from({ length: 5 * columns }, (_, i) => i / 10),
    { shape: [5, columns], name: 'table' },
  );
  const generator = new RandomGenerator(7);
  const globalStep = createGlobalStep();
  const adam = new AdamOptimizer({ learningRate: 0.1 });
  const optimizer = new DistributedOptimizer(adam, communicator, { check: false, shardState });
  optimizer.createSlots([table]);
  const step = compileStep({
    inputs: { rows: { shape: [2], dtype: 'int32' }, shift: { shape: [1], dtype: 'int32' } },
    // Rows that are computed are looked at only while it runs.
    loss: ({ rows, shift }) => {
      const some = ops.dropout(ops.gather(table, rows), { rate: 0.2, generator });
      const other = ops.gather(table, ops.cast(ops.add(ops.cast(shift, 'float32'), 1), 'int32'));
      return ops.reduceSum(ops.square(ops.mul(some, other)));
    },
    optimizer,
    globalStep,
  });
  const state = (): string =>
    JSON.stringify([
      stateOf([table], optimizer, globalStep),
      generator.state().map(({ memory }) => Array.from(memory, Number)),
    ]);
  return { step, state, table: () => JSON.stringify(table.toArray()) };
}

const said = (error: unknown): string => `${(error as Error).name}: ${(error as Error).message}`;

/** One rank gives an index that is out of range, which shows in the middle of a run. */
async function oneFails(communicator: Communicator, { isAsync, isSharded }: { isAsync: boolean; isSharded: boolean }) {
  const { step, state, table } = smallStep(communicator, 3, isSharded);
  const run = async (shift: number) => {
    const inputs = { rows: [communicator.rank % 5, 2], shift: [shift] };
    return isAsync ? step.run(inputs) : step.runSync(inputs);
  };
  await run(1);
  const before = state();
  let error = '';
  try {
    await run(communicator.rank === 1 ? 9 : 1);
  } catch (thrown) {
    error = said(thrown);
  }
  const isUnchanged = state() === before;
  await run(2);
  return { error, isUnchanged, after: table() };
}

/** What a rank can do wrong before a run. */
const mistakes = {
  'another shape': { rows: [1], shift: [1] },
  'no such row': { rows: [1, 99], shift: [1] },
  'another kind': { rows: 'rows', shift: [1] },
  'a rate that is none': { rows: [1, 2], shift: [1] },
};

export type Mistake = keyof typeof mistakes;

/** One rank cannot begin a run, first and then later. @returns what each run has come to. */
async function oneMisses(
  communicator: Communicator,
  { isAsync, isSharded, mistake, check }: { isAsync: boolean; isSharded: boolean; mistake: Mistake; check: boolean },
) {
  let rate = 0.1;
  const globalStep = createGlobalStep();
  const table = variable(
    Float32Array.from({ length: 15 }, (_, i) => Math.sin(i)),
    { shape: [5, 3], name: 'table' },
  );
  const adam = new AdamOptimizer({ learningRate: () => rate });
  const options = { check: check ? ('start' as const) : (false as const), shardState: isSharded };
  const optimizer = new DistributedOptimizer(adam, communicator, options);
  const step = compileStep({
    inputs: { rows: { shape: [2], dtype: 'int32' }, shift: { shape: [1], dtype: 'int32' } },
    loss: ({ rows }) => ops.reduceSum(ops.square(ops.gather(table, rows))),
    optimizer,
    globalStep,
  });
  const run = async (inputs: unknown) => (isAsync ? step.run(inputs as never) : step.runSync(inputs as never));
  const told: string[] = [];
  let isUnchanged = true;
  for (const isWrong of [true, false, true, true, false]) {
    const before = JSON.stringify(stateOf([table], optimizer, globalStep));
    const isHere = isWrong && communicator.rank === 1;
    if (isHere && mistake === 'a rate that is none') rate = NaN;
    try {
      await run(isHere ? mistakes[mistake] : { rows: [communicator.rank, 2], shift: [1] });
      told.push('');
    } catch (error) {
      told.push(said(error));
      isUnchanged &&= JSON.stringify(stateOf([table], optimizer, globalStep)) === before;
    }
    rate = 0.1;
  }
  return { told, isUnchanged, after: table.toArray() };
}

/** Goes on until it is over. */
async function untilAborted(
  communicator: Communicator,
  { isAsync, isSharded }: { isAsync: boolean; isSharded: boolean },
  tell: (steps: number) => void,
) {
  const { step, state } = smallStep(communicator, 3, isSharded);
  let before = state();
  for (let steps = 1; ; steps++) {
    try {
      const inputs = { rows: [communicator.rank % 5, steps % 5], shift: [steps % 3] };
      if (isAsync) await step.run(inputs);
      else step.runSync(inputs);
    } catch (error) {
      return { error: said(error), isUnchanged: state() === before };
    }
    before = state();
    if (steps % 10 === 0) tell(steps);
  }
}

/** The last rank has compiled another step. */
function othersDiffer(communicator: Communicator) {
  const { step, state } = smallStep(communicator, communicator.rank === communicator.size - 1 ? 4 : 3);
  const before = state();
  try {
    step.runSync({ rows: [0, 1], shift: [1] });
    return { error: '', isUnchanged: false };
  } catch (error) {
    return { error: said(error), isUnchanged: state() === before };
  }
}

export type Program = (communicator: Communicator, order: never, tell: (message: number) => void) => unknown;

export const programs: Readonly<Record<string, Program>> = {
  likeEager,
  trainCompiled,
  oneFails,
  oneMisses,
  untilAborted,
  othersDiffer,
};
