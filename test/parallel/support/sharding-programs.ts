import { restoreCheckpoint, saveCheckpoint, type SavedCheckpoint } from 'gradstep/checkpoint';
import { DistributedOptimizer, type Communicator } from 'gradstep/parallel';
import { begin, bytesOf, clipped, gradients, lossOf, type Scenario, type Trained } from './sharding';

/** What a rank has in the end: by key, from which byte of the whole on. */
export type RankState = Record<string, { readonly begin: number; readonly bytes: Uint8Array }>;

export interface Order {
  readonly scenario: Scenario;
  /** `minimize`, or by the code of a user who clips in between. */
  readonly way: 'minimize' | 'compute' | 'average';
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

export const programs = {
  save: (communicator: Communicator, orders: readonly Saved[]) => save(orders, communicator),
  goOn: (communicator: Communicator, orders: readonly Saved[]) => goOn(orders, communicator),
  trainAll: (communicator: Communicator, orders: readonly Order[]) => orders.map((order) => train(order, communicator)),
} satisfies Record<string, (communicator: Communicator, order: never) => unknown>;

export type Program = keyof typeof programs;
