import { freemem } from 'node:os';
import { ExponentialMovingAverage, GlobalStep, internals, Optimizer, Variable } from 'gradstep';
import { shown } from '../checks';
import type { StateEntry, Stateful } from '../tensor/state';
import { dividedAmong, entriesOfDivided, type DividedEntry } from './divided';
import { isOf, type Part } from './parts';
import { SharedSpace } from './shared-space';

/** The state of one moment, by the files that it goes to. */
export interface Snapshot {
  readonly model: readonly StateEntry[];
  readonly others: readonly StateEntry[];
  /** What of the others is divided by ranks: this rank's parts. */
  readonly divided: readonly DividedEntry[];
  /** Whether it is in memory of its own, which is shared. */
  readonly isOwn: boolean;
}

export const bytesOf = (entries: readonly StateEntry[]): number =>
  entries.reduce((sum, { memory }) => sum + memory.byteLength, 0);

/** Of all that a checkpoint has. */
export const bytesOfAll = ({ model, others, divided }: Snapshot): number =>
  divided.reduce(
    (sum, { shape, memory }) => sum + shape.reduce((size, length) => size * length, memory.BYTES_PER_ELEMENT),
    bytesOf(model) + bytesOf(others),
  );

/**
 * The state as it is now. What only steps and averages change, whose turn it is not, is where it always is; the rest is
 * copied, as nobody keeps away from it.
 * @throws Error when two pieces have one key.
 */
export function collect(parts: readonly Part[]): Snapshot {
  const names = parts.map(({ name }) => name);
  const divided = entriesOfDivided(dividedAmong(parts));
  const parted = new Set(divided.map(({ ownKey }) => ownKey));
  const listed = parts.map((part) => {
    return { name: part.name, entries: entriesOf(part).filter(({ key }) => !parted.has(key)) };
  });
  const keys = new Map<string, string>();
  for (const { name, entries } of listed) {
    for (const { key } of entries) {
      const other = keys.get(key) ?? (name === 'variables' || isOf(name, key, names) ? undefined : 'another part');
      if (other !== undefined) throw new Error(`${shown(key)} is the key of state of ${other} and of ${name}`);
      keys.set(key, name);
    }
  }
  for (const { key } of divided) {
    const other = keys.get(key);
    if (other !== undefined)
      throw new Error(`${shown(key)} is the key of state of ${other} and of a sharded optimizer`);
    keys.set(key, 'a sharded optimizer');
  }
  return {
    model: listed.filter(({ name }) => name === 'variables').flatMap(({ entries }) => entries),
    others: listed.filter(({ name }) => name !== 'variables').flatMap(({ entries }) => entries),
    divided,
    isOwn: false,
  };
}

function entriesOf({ members, keyed }: Part): StateEntry[] {
  return members.flatMap((member, i) => {
    const entries = keyed[i]!.state();
    return isKeptAwayFrom(member) ? entries : entries.map((entry) => ({ ...entry, memory: entry.memory.slice() }));
  });
}

const keepAway = [Variable, Optimizer, ExponentialMovingAverage] as const;
const isKeptAwayFrom = (part: Stateful): boolean => keepAway.some((kind) => part instanceof kind);

/** The step that was counted. */
export function stepOf(parts: readonly Part[]): number | undefined {
  const counter = parts.find(({ name }) => name === 'globalStep')?.members[0];
  return counter instanceof GlobalStep ? counter.value : undefined;
}

/** What fits beside the state without anything else having to go, as far as the system says. */
export function fits(bytes: number): boolean {
  const { availableMemory } = process as { availableMemory?: () => number };
  return bytes <= (availableMemory?.() ?? freemem()) / 2;
}

/**
 * The same in memory of its own, which nobody changes. It is copied off the event loop, but for what could be taken away
 * meanwhile: arrays over plain buffers.
 */
export async function copied({ model, others, divided }: Snapshot): Promise<Snapshot> {
  const space = new SharedSpace();
  const later: internals.StateCopy[] = [];
  const copyOf = (entry: StateEntry): StateEntry => {
    const { dtype, memory: from } = entry;
    const to = space.take(dtype, from.length);
    if (internals.isSharedForGood(from)) later.push({ to, from });
    else to.set(from as never);
    return { ...entry, memory: to };
  };
  const copy = { model: model.map(copyOf), others: others.map(copyOf), divided, isOwn: true };
  await internals.copyLater(later);
  return copy;
}
