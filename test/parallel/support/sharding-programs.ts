import { IndexedSlices } from 'gradstep';
import { type Communicator } from 'gradstep/parallel';
import { Sharded } from '../../../lib/parallel/sharding/sharded';
import { begin, bytesOf, clipped, gradients, meanOf, type Scenario, type Trained } from './sharding';

/** What a rank has in the end: by key, and which elements of the whole they are. */
export type RankState = Record<string, { readonly begin: number; readonly bytes: Uint8Array }>;

export interface Order {
  readonly scenario: Scenario;
  readonly way: 'apply' | 'means';
  readonly fusionBytes: number;
}

export interface ShardedTrained extends Trained {
  readonly sharded: Sharded;
}

export function beginSharded({ scenario, fusionBytes }: Order, communicator: Communicator): ShardedTrained {
  const trained = begin(scenario);
  return { ...trained, sharded: new Sharded(trained.optimizer, communicator, fusionBytes) };
}

export function stepSharded(order: Order, trained: ShardedTrained, step: number, { rank, size }: Communicator): void {
  const { scenario, way } = order;
  const { sharded, globalStep } = trained;
  const means = [...meanOf(scenario, trained, step, size)];
  if (way === 'apply') return sharded.applyGradients(clipped(means, scenario.clip), { globalStep });
  const own = gradients(scenario, trained, step, rank);
  const averaged = means.flatMap(([mean, variable], i) => {
    if (mean === null) return [];
    return [{ variable, gradient: mean instanceof IndexedSlices ? mean : own[i]![0] }];
  });
  sharded.applyMeans(averaged, scenario.clip, { globalStep });
}

export function stateOfRank({ sharded, variables, globalStep }: ShardedTrained): RankState {
  const slots = sharded.state.entries();
  const shared = sharded.state.state().filter(({ key }) => !slots.some(({ ownKey }) => ownKey === key));
  const whole = [...variables, globalStep].flatMap((part) => part.state());
  return Object.fromEntries([
    ...[...whole, ...shared].map(({ key, memory }) => [key, { begin: 0, bytes: bytesOf(memory) }] as const),
    ...slots.map(({ key, ranges, memory }) => {
      const { rank } = sharded.state.ranks;
      return [key, { begin: ranges[rank]![0] * memory.BYTES_PER_ELEMENT, bytes: bytesOf(memory) }] as const;
    }),
  ]);
}

function train(order: Order, communicator: Communicator): RankState {
  const trained = beginSharded(order, communicator);
  for (let step = 0; step < order.scenario.steps; step++) stepSharded(order, trained, step, communicator);
  return stateOfRank(trained);
}

export const programs = {
  trainAll: (communicator: Communicator, orders: readonly Order[]) => orders.map((order) => train(order, communicator)),
} satisfies Record<string, (communicator: Communicator, order: never) => unknown>;

export type Program = keyof typeof programs;
