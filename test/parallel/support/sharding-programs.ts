import {
  AdamOptimizer,
  AdamWOptimizer,
  clipByNorm,
  createGlobalStep,
  MixedPrecisionLossScaleOptimizer,
  ops,
  tensor,
  variable,
  type Variable,
} from 'gradstep';
import { restoreCheckpoint, saveCheckpoint, toTorch, type SavedCheckpoint } from 'gradstep/checkpoint';
import { broadcastState, checkSameState, DistributedOptimizer, type Communicator } from 'gradstep/parallel';
import { ownGradient } from '../../../lib/parallel/sharding/gradients';
import { blockSums, globalNormOf } from '../../../lib/parallel/sharding/norms';
import { Parts } from '../../../lib/parallel/sharding/parts';
import { begin, bytesOf, clipped, gradients, lossOf, numbers, type Scenario, type Trained } from './sharding';

/** What a rank has in the end: by key, from which byte of the whole on. */
export type RankState = Record<string, { readonly begin: number; readonly bytes: Uint8Array }>;

export interface Order {
  readonly scenario: Scenario;
  /** `minimize`, or by the code of a user who clips in between. */
  readonly way: 'minimize' | 'given' | 'compute' | 'average';
  readonly fusionBytes: number;
}

export interface ShardedTrained extends Trained {
  readonly optimizer: DistributedOptimizer;
}

export function beginSharded({ scenario, fusionBytes }: Order, communicator: Communicator): ShardedTrained {
  const trained = begin(scenario);
  const { clip } = scenario;
  const options = { shardState: true, fusionBytes, ...(clip && { clip }) };
  return { ...trained, optimizer: new DistributedOptimizer(trained.optimizer, communicator, options) };
}

export function stepSharded(order: Order, trained: ShardedTrained, step: number, rank: number): void {
  const { scenario, way } = order;
  const { optimizer, globalStep, variables } = trained;
  const own = gradients(scenario, trained, step, rank);
  const loss = () => lossOf(own);
  const varList = [...variables];
  if (way === 'minimize') return void optimizer.minimize(loss, { varList, globalStep });
  if (way === 'given') return void optimizer.applyAverage(own, { globalStep });
  const pairs = way === 'compute' ? optimizer.computeGradients(loss, { varList }) : optimizer.averageGradients(own);
  optimizer.applyGradients(clipped([...pairs], scenario.clip), { globalStep });
}

export function stateOfRank({ optimizer, variables, globalStep }: ShardedTrained): RankState {
  const sharding = optimizer.sharding()!;
  const slots = sharding.entries();
  const shared = optimizer.state().filter(({ key }) => !slots.some(({ ownKey }) => ownKey === key));
  const whole = [...variables, globalStep].flatMap((part) => part.state());
  return Object.fromEntries([
    ...[...whole, ...shared].map(({ key, memory }) => [key, { begin: 0, bytes: bytesOf(memory) }] as const),
    ...slots.map(({ key, ranges, memory }) => {
      const begin = ranges[sharding.ranks.rank]![0] * memory.BYTES_PER_ELEMENT;
      return [key, { begin, bytes: bytesOf(memory) }] as const;
    }),
  ]);
}

function train(order: Order, communicator: Communicator): RankState {
  const trained = beginSharded(order, communicator);
  for (let step = 0; step < order.scenario.steps; step++) stepSharded(order, trained, step, communicator.rank);
  return stateOfRank(trained);
}

const partsOf = ({ variables, optimizer, globalStep }: Trained) => ({ variables, optimizer, globalStep });

/** A run that is saved, and one that goes on from what was saved. */
export interface Saved extends Order {
  readonly folder: string;
  /** After how many steps. */
  readonly at: number;
}

/** Trains up to a step, and saves. */
async function save(orders: readonly Saved[], communicator: Communicator): Promise<SavedCheckpoint[]> {
  const saved: SavedCheckpoint[] = [];
  for (const order of orders) {
    const trained = beginSharded(order, communicator);
    for (let step = 0; step < order.at; step++) stepSharded(order, trained, step, communicator.rank);
    saved.push(await saveCheckpoint(order.folder, { ...partsOf(trained), metadata: { at: order.at } }));
  }
  return saved;
}

/** Goes on from what was saved. */
async function goOn(orders: readonly Saved[], communicator: Communicator): Promise<RankState[]> {
  const states: RankState[] = [];
  for (const order of orders) {
    const trained = beginSharded(order, communicator);
    const restored = await restoreCheckpoint(order.folder, partsOf(trained));
    if (restored?.step !== order.at) throw new Error(`restored ${restored?.step}`);
    for (let step = order.at; step < order.scenario.steps; step++) {
      stepSharded(order, trained, step, communicator.rank);
    }
    states.push(stateOfRank(trained));
  }
  return states;
}

/** What programs that show one thing give back. */
type Shown = Record<string, unknown>;

const thrown = (f: () => unknown): string => {
  try {
    f();
    return 'nothing was thrown';
  } catch (error) {
    return String(error);
  }
};

const thrownLater = async (f: () => Promise<unknown>): Promise<string> =>
  f().then(
    () => 'nothing was thrown',
    (error: unknown) => String(error),
  );

const block = 2 ** 14;

/** Variables whose values are taken for gradients. */
export const listsOf = (sizes: readonly (readonly number[])[]) =>
  sizes.map((list, seed) =>
    list.map((size, i) => {
      const dtype = (seed + i) % 3 === 0 ? 'float64' : 'float32';
      return variable(numbers(100 * seed + i, size, dtype), { name: `w${i}`, dtype });
    }),
  );

/** Global norms of gradients of which each rank has parts. */
function norms(communicator: Communicator, { sizes }: { sizes: readonly (readonly number[])[] }): number[] {
  return listsOf(sizes).map((list) => {
    const parts = new Parts(new AdamOptimizer(), communicator.rank, communicator.size).of(list);
    const summands = parts.map((part) => ({ part, gradient: ownGradient(tensor(part.whole.data), part) }));
    return globalNormOf(blockSums(communicator, summands), summands);
  });
}

/** Ranks and the bytes of slots that each keeps. */
function memory(communicator: Communicator, { sizes }: { sizes: readonly number[] }): Shown {
  const variables = sizes.map((size, i) => variable(new Float32Array(size), { name: `w${i}` }));
  const optimizer = new DistributedOptimizer(new AdamOptimizer(), communicator, { shardState: true });
  optimizer.minimize(() => variables.map((w) => ops.reduceSum(w)).reduce((a, b) => ops.add(a, b)));
  const slots = variables.flatMap((w) => ['m', 'v'].map((name) => optimizer.getSlot(w, name)!));
  const ranges = variables.map((w) => optimizer.shardOf(w));
  return { bytes: slots.reduce((sum, slot) => sum + slot.size * 4, 0), ranges };
}

/** A step that one rank cannot make is made by none. */
function refused(communicator: Communicator): Shown {
  const { rank } = communicator;
  const w = variable(new Float32Array(3 * block), { name: 'w' });
  const globalStep = createGlobalStep();
  let learningRate = 0.1;
  const optimizer = new DistributedOptimizer(new AdamOptimizer({ learningRate: () => learningRate }), communicator, {
    shardState: true,
  });
  const step = () => optimizer.applyGradients([[new Float32Array(3 * block).fill(1), w]], { globalStep });
  step();
  const before = [bytesOf(w.data), ...optimizer.state().map((entry) => bytesOf(entry.memory))];
  if (rank === 1) learningRate = NaN;
  const error = thrown(step);
  learningRate = 0.1;
  const other = thrown(() => optimizer.applyGradients([[new Float32Array(rank === 0 ? 5 : 3 * block), w]]));
  const after = [bytesOf(w.data), ...optimizer.state().map((entry) => bytesOf(entry.memory))];
  const isSame = before.every((bytes, i) => Buffer.compare(bytes, after[i]!) === 0);
  step();
  return { error, other, isSame, steps: globalStep.value };
}

/** What is around it, and what it is not for. */
async function surroundings(communicator: Communicator): Promise<Shown> {
  const make = () => new DistributedOptimizer(new AdamOptimizer(), communicator, { shardState: true });
  const w = variable([1, 2, 3], { name: 'w' });
  const loss = () => ops.reduceSum(ops.square(w));
  const scaled = new MixedPrecisionLossScaleOptimizer(make(), 'dynamic');
  scaled.minimize(loss);
  const scaledLoss = scaled.computeGradients(() => ops.mul(ops.reduceSum(w), communicator.rank)).loss.item();
  const half = ops.reduceSum(w).item() / 2;
  const inside = thrown(
    () =>
      new DistributedOptimizer(new MixedPrecisionLossScaleOptimizer(new AdamOptimizer(), 8), communicator, {
        shardState: true,
      }),
  );
  const optimizer = make();
  const later = await thrownLater(() => optimizer.minimizeAsync(loss));
  optimizer.minimize(loss);
  const torch = thrown(() => toTorch({ variables: [w], optimizer }));
  const broadcast = thrown(() => broadcastState({ variables: [w], optimizer }, communicator));
  checkSameState({ variables: [w], optimizer }, communicator);
  const own = optimizer.state();
  const again = make();
  again.restore(own, { variables: [w] });
  const keys = own.map(({ key }) => key);
  const isSame = again.state().every(({ memory }, i) => Buffer.compare(bytesOf(memory), bytesOf(own[i]!.memory)) === 0);
  return {
    inside,
    isMean: scaledLoss === half,
    later,
    torch,
    broadcast,
    keys,
    isSame,
    shown: scaled.state().map(({ key }) => key),
  };
}

/** How gradients are summed, as the communicator is told it. */
function sums(communicator: Communicator, { deterministic }: { deterministic?: boolean }): Shown {
  const told: unknown[] = [];
  const listening = new Proxy(communicator, {
    get: (of, name) => {
      const member: unknown = Reflect.get(of, name, of);
      if (typeof member !== 'function') return member;
      return (...given: unknown[]): unknown => {
        if (name === 'startReduceScatter') told.push(given[2]);
        return Reflect.apply(member, of, given);
      };
    },
  });
  const options = { shardState: true, ...(deterministic !== undefined && { deterministic }) };
  const optimizer = new DistributedOptimizer(new AdamOptimizer(), listening, options);
  const w = variable(new Float32Array(3 * block), { name: 'w' });
  optimizer.minimize(() => ops.reduceSum(w));
  return { told };
}

/** A constraint sees the whole variable, on all ranks. */
function constrained(communicator: Communicator): Shown {
  let throws = false;
  const make = () =>
    variable(new Float32Array(2 * block + 5).fill(1), {
      name: 'w',
      constraint: (value) => {
        if (throws) throw new Error('mine');
        return clipByNorm(value, 3);
      },
    });
  const [w, alone] = [make(), make()];
  const optimizer = new DistributedOptimizer(new AdamOptimizer(), communicator, { shardState: true });
  const other = new AdamOptimizer();
  const values = (bytes: ArrayBufferView) => Buffer.from(bytesOf(bytes)).toString('base64');
  for (let i = 0; i < 2; i++) {
    optimizer.minimize(() => ops.reduceSum(ops.square(w)));
    other.minimize(() => ops.reduceSum(ops.square(alone)));
  }
  const isSame = values(w.data) === values(alone.data);
  const before = [w.data, ...optimizer.state().map(({ memory }) => memory)].map(values);
  throws = true;
  const error = thrown(() => optimizer.minimize(() => ops.reduceSum(ops.square(w))));
  const after = [w.data, ...optimizer.state().map(({ memory }) => memory)].map(values);
  return { isSame, error, isPutBack: before.join() === after.join() };
}

/** Decay leaves out variables by their names. */
function decay(communicator: Communicator): Shown {
  const make = () =>
    [variable(new Float32Array(20_000).fill(1), { name: 'w' }), variable([1, 1], { name: 'bias' })] as const;
  const options = { weightDecay: 0.1, excludeFromWeightDecay: (name: string) => name === 'bias' };
  const [own, alone] = [make(), make()];
  const optimizer = new DistributedOptimizer(new AdamWOptimizer(options), communicator, { shardState: true });
  optimizer.minimize(() => ops.add(ops.reduceSum(own[0]), ops.reduceSum(own[1])));
  new AdamWOptimizer(options).minimize(() => ops.add(ops.reduceSum(alone[0]), ops.reduceSum(alone[1])));
  return { isSame: own.every((one, i) => Buffer.compare(bytesOf(one.data), bytesOf(alone[i]!.data)) === 0) };
}

/** A state that is larger than a piece of a file, filled with a number; then read elsewhere. */
async function large(communicator: Communicator, { folder, fill }: { folder: string; fill?: number }): Promise<Shown> {
  const w = variable(new Float32Array(5_000_000), { name: 'w' });
  const b = variable([0, 0, 0], { name: 'b' });
  const optimizer = new DistributedOptimizer(new AdamOptimizer(), communicator, { shardState: true });
  const parts = { variables: [w, b], optimizer };
  const slots = () =>
    [w, b].flatMap((one) => ['m', 'v'].map((name) => [one, optimizer.getSlot(one, name)!.data] as const));
  const value = (one: Variable, at: number): number => (optimizer.shardOf(one)![0] + at) % 1000;
  if (fill === undefined) {
    await restoreCheckpoint(folder, parts, { step: 1 });
    const isRight = slots().every(([one, data]) => data.every((x, i) => x === value(one, i)));
    return { isRight, sizes: slots().map(([, data]) => data.length) };
  }
  optimizer.createSlots([w, b]);
  for (const [one, data] of slots()) data.forEach((_, i) => (data[i] = value(one, i)));
  return { ...(await saveCheckpoint(folder, parts, { step: 1 })) };
}

/** Saves into what is no folder, then where there is room; what each rank was told. */
async function failing(communicator: Communicator, { folder }: { folder: string }): Promise<Shown> {
  const w = variable(new Float32Array(40_000), { name: 'w' });
  const optimizer = new DistributedOptimizer(new AdamOptimizer(), communicator, { shardState: true });
  optimizer.createSlots([w]);
  const parts = { variables: [w], optimizer };
  const copied = await thrownLater(() => saveCheckpoint(folder, parts, { step: 1, copy: true }));
  const failed = await thrownLater(() => saveCheckpoint(`${folder}/file/run`, parts, { step: 1 }));
  const differs = await thrownLater(() => saveCheckpoint(folder, parts, { step: communicator.rank }));
  const saved = await saveCheckpoint(folder, parts, { step: 1 });
  return { copied, failed, differs, path: saved.path };
}

/** The last rank ends while all save. */
async function ending(communicator: Communicator, { folder }: { folder: string }): Promise<Shown> {
  const w = variable(new Float32Array(9_000_000), { name: 'w' });
  const optimizer = new DistributedOptimizer(new AdamOptimizer(), communicator, { shardState: true });
  optimizer.createSlots([w]);
  if (communicator.rank === communicator.size - 1) setImmediate(() => process.exit());
  return { error: await thrownLater(() => saveCheckpoint(folder, { variables: [w], optimizer }, { step: 2 })) };
}

/** Saves a second checkpoint. */
async function second(communicator: Communicator, { folder }: { folder: string }): Promise<Shown> {
  const w = variable(new Float32Array(5_000_000), { name: 'w' });
  const optimizer = new DistributedOptimizer(new AdamOptimizer(), communicator, { shardState: true });
  optimizer.createSlots([w]);
  return { ...(await saveCheckpoint(folder, { variables: [w], optimizer }, { step: 2 })) };
}

/** Restores from a folder of which one rank has found a checkpoint to be damaged. */
async function damaged(communicator: Communicator, { folder }: { folder: string }): Promise<Shown> {
  const w = variable(new Float32Array(5_000_000), { name: 'w' });
  const optimizer = new DistributedOptimizer(new AdamOptimizer(), communicator, { shardState: true });
  const parts = { variables: [w], optimizer };
  const asked = await thrownLater(() => restoreCheckpoint(folder, parts, { step: 2 }));
  const restored = await restoreCheckpoint(folder, parts);
  return { asked, step: restored!.step, damaged: restored!.damaged.map(({ message }) => message) };
}

export const programs = {
  norms,
  memory,
  refused,
  surroundings,
  constrained,
  decay,
  sums,
  large,
  failing,
  damaged,
  second,
  ending,
  save: (communicator: Communicator, orders: readonly Saved[]) => save(orders, communicator),
  goOn: (communicator: Communicator, orders: readonly Saved[]) => goOn(orders, communicator),
  trainAll: (communicator: Communicator, orders: readonly Order[]) => orders.map((order) => train(order, communicator)),
} satisfies Record<string, (communicator: Communicator, order: never) => unknown>;

export type Program = keyof typeof programs;
