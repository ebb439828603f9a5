import { formatNumber } from '../native';
import type { Shard } from '../step/sharding';
import { bytesPerElement } from '../tensor/arrays';
import type { DType } from '../tensor/dtype';
import type { ProgramGradient, Tail } from './plan';
import type { Recorder } from './recorder';
import { refsOf, type Ref, type Task, type Value } from './values';

const lineBytes = 64;

/** How the gradients of a program go to other ranks. */
export interface ProgramExchange {
  /** How many ranks there are, with this one. */
  readonly ranks: number;
  /** How many bytes of dense gradients go together at most, unless one alone is larger. */
  readonly fusionBytes: number;
  /** Whether gradients are unscaled before they are sent, else after it. */
  readonly unscalesFirst: boolean;
  /** Of a step that is divided by ranks. */
  readonly shards: ProgramShards | null;
}

/** How a step is divided: this rank, and for each variable where all of it is and which elements each rank has. */
export interface ProgramShards {
  readonly rank: number;
  readonly wholes: readonly Ref[];
  readonly ranges: readonly Shard['ranges'][];
}

/** How variables are divided, for a program. */
export function programShards(rank: number, shards: readonly Shard[], recorder: Recorder): ProgramShards {
  return {
    rank,
    wholes: shards.map(({ whole }) => recorder.whole(whole.memory)),
    ranges: shards.map(({ ranges }) => ranges),
  };
}

/** Where a gradient is when it is sent: all of a value that nobody reads afterwards, or not. */
export interface Sendable {
  readonly own: Value | null;
}

/** What is sent at one time: dense gradients of one dtype, one behind the other, or the rows of a sparse one. */
export interface Send {
  /** How many tasks have run when it is final. */
  ready: number;
  /** The memory of dense ones. */
  readonly place: Value | null;
  readonly members: { readonly gradient: number; readonly offset: number }[];
}

/**
 * Cuts gradients into what is sent together, in the order in which they are final. One that has a value of its own is computed
 * where it is sent: the value becomes a part of that place.
 *
 * @param before the tasks that come before the update.
 */
export function sendsOf(
  { gradients, exchange }: Tail,
  sendable: readonly Sendable[],
  before: readonly Task[],
  recorder: Recorder,
): Send[] {
  if (exchange === null) return [];
  const ready = readiness(gradients, before);
  const order = [...gradients.keys()].sort((a, b) => ready[a]! - ready[b]!);
  const lots = cut(gradients, order, exchange.fusionBytes);
  return lots
    .map(({ dtype, members, length }): Send => {
      const place = dtype === null ? null : recorder.value(dtype, length);
      if (place !== null) for (const { gradient, offset } of members) settle(sendable[gradient]!.own, place, offset);
      return { ready: ready[members.at(-1)!.gradient]!, place, members };
    })
    .sort((a, b) => a.ready - b.ready);
}

/** For each gradient how many tasks have run when nobody writes or reads it any more. */
function readiness(gradients: readonly ProgramGradient[], before: readonly Task[]): number[] {
  const last = new Map<Value, number>();
  before.forEach((task, i) => refsOf(task).forEach(({ value }) => last.set(value, i + 1)));
  return gradients.map(({ ref }) => last.get(ref.value) ?? 0);
}

interface Lot {
  readonly dtype: DType | null;
  readonly members: { gradient: number; offset: number }[];
  length: number;
}

function cut(gradients: readonly ProgramGradient[], order: readonly number[], fusionBytes: number): Lot[] {
  const lots: Lot[] = [];
  const open = new Map<DType, Lot>();
  for (const gradient of order) {
    const { ref, length, rows } = gradients[gradient]!;
    if (rows !== null) {
      lots.push({ dtype: null, members: [{ gradient, offset: 0 }], length: 0 });
      continue;
    }
    const dtype = ref.value.dtype as DType;
    const grain = lineBytes / bytesPerElement[dtype];
    let lot = open.get(dtype);
    if (lot === undefined || (lot.length + length) * bytesPerElement[dtype] > fusionBytes) {
      lot = { dtype, members: [], length: 0 };
      open.set(dtype, lot);
      lots.push(lot);
    }
    lot.members.push({ gradient, offset: lot.length });
    lot.length += Math.ceil(length / grain) * grain;
  }
  return lots;
}

function settle(own: Value | null, place: Value, offset: number): void {
  if (own === null) return;
  own.within = { value: place, offset: offset * bytesPerElement[own.dtype] };
}

/** As `native.makeProgram` reads it. */
export function writeSends(table: number[], { exchange }: Tail, sends: readonly Send[]): void {
  if (exchange === null) return;
  table.push(exchange.ranks, Number(exchange.unscalesFirst), sends.length);
  for (const { ready, place, members } of sends) {
    table.push(ready, place === null ? 1 : 0);
    if (place === null) {
      table.push(members[0]!.gradient);
      continue;
    }
    table.push(formatNumber[place.dtype], place.offset, place.length, members.length);
    for (const { gradient, offset } of members) table.push(gradient, offset);
  }
  if (exchange.shards === null) return;
  const { rank, wholes, ranges } = exchange.shards;
  table.push(rank);
  wholes.forEach(({ value, offset }, i) => {
    table.push(value.place, offset, 0, ...ranges[i]!.map(([, end]) => end));
  });
}
