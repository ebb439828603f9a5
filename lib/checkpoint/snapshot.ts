import { freemem } from 'node:os';
import { setImmediate } from 'node:timers/promises';
import { GlobalStep, Optimizer, Variable } from 'gradstep';
import { shown } from '../checks';
import type { StateEntry, Stateful, StateMemory } from '../tensor/state';
import { isOf, type Part } from './parts';

/** The state of one moment, by the files that it goes to. */
export interface Snapshot {
  readonly model: readonly StateEntry[];
  readonly others: readonly StateEntry[];
}

export const bytesOf = (entries: readonly StateEntry[]): number =>
  entries.reduce((sum, { memory }) => sum + memory.byteLength, 0);

/**
 * The state as it is now. What only steps change, whose turn it is not, is where it always is; the rest is copied, as nobody
 * keeps away from it.
 * @throws Error when two pieces have one key.
 */
export function collect(parts: readonly Part[]): Snapshot {
  const names = parts.map(({ name }) => name);
  const listed = parts.map((part) => ({ name: part.name, entries: entriesOf(part) }));
  const keys = new Map<string, string>();
  for (const { name, entries } of listed) {
    for (const { key } of entries) {
      const other = keys.get(key) ?? (name === 'variables' || isOf(name, key, names) ? undefined : 'another part');
      if (other !== undefined) throw new Error(`${shown(key)} is the key of state of ${other} and of ${name}`);
      keys.set(key, name);
    }
  }
  return {
    model: listed.filter(({ name }) => name === 'variables').flatMap(({ entries }) => entries),
    others: listed.filter(({ name }) => name !== 'variables').flatMap(({ entries }) => entries),
  };
}

function entriesOf({ members, keyed }: Part): StateEntry[] {
  return members.flatMap((member, i) => {
    const entries = keyed[i]!.state();
    return isKeptAwayFrom(member) ? entries : entries.map((entry) => ({ ...entry, memory: entry.memory.slice() }));
  });
}

const isKeptAwayFrom = (part: Stateful): boolean => part instanceof Variable || part instanceof Optimizer;

/** The step that was counted. */
export function stepOf(parts: readonly Part[]): number | undefined {
  const counter = parts.find(({ name }) => name === 'globalStep')?.members[0];
  return counter instanceof GlobalStep ? counter.value : undefined;
}

/** Copying so much takes less than a millisecond or so. */
const pieceBytes = 2 ** 21;
/** Up to so much is copied at once. */
const atOnceBytes = 2 ** 23;

/** What fits beside the state without anything else having to go, as far as the system says. */
export function fits(bytes: number): boolean {
  const { availableMemory } = process as { availableMemory?: () => number };
  return bytes <= (availableMemory?.() ?? freemem()) / 2;
}

/** The same in memory of its own: without leaving the event loop where it is little, else piece by piece. */
export async function copied({ model, others }: Snapshot): Promise<Snapshot> {
  const pause = bytesOf(model) + bytesOf(others) > atOnceBytes ? () => setImmediate() : undefined;
  return { model: await copiedEntries(model, pause), others: await copiedEntries(others, pause) };
}

async function copiedEntries(entries: readonly StateEntry[], pause?: () => Promise<void>): Promise<StateEntry[]> {
  const copies: StateEntry[] = [];
  let sincePause = 0;
  for (const entry of entries) {
    const { length, BYTES_PER_ELEMENT } = entry.memory;
    const copy = new (entry.memory.constructor as new (length: number) => StateMemory)(length);
    const step = pieceBytes / BYTES_PER_ELEMENT;
    for (let i = 0; i < length; i += step) {
      copy.set(entry.memory.subarray(i, i + step) as never, i);
      sincePause += Math.min(step, length - i) * BYTES_PER_ELEMENT;
      if (pause === undefined || sincePause < pieceBytes) continue;
      sincePause = 0;
      await pause();
    }
    copies.push({ ...entry, memory: copy });
  }
  return copies;
}
