import { Optimizer } from 'gradstep';
import { rootsText } from '../step/agree';
import type { PartEntry, Ranks, Sharding } from '../step/sharding';
import { CheckpointError, reasonOf } from './error';
import { keyPrefixOf, type Part } from './parts';

// State that is divided by ranks: rank 0 writes one checkpoint of all of it, the same that it would write alone.

/** An optimizer among the parts whose state is divided, and what its keys start with in a checkpoint. */
export interface Divided {
  readonly prefix: string;
  readonly sharding: Sharding;
}

/** @throws RangeError for optimizers that are divided by several communicators. */
export function dividedAmong(parts: readonly Part[]): Divided[] {
  const divided = parts.flatMap(({ name, members }) => {
    return members.flatMap((member) => {
      const sharding = member instanceof Optimizer ? member.sharding() : null;
      return sharding === null ? [] : [{ prefix: keyPrefixOf(name), sharding }];
    });
  });
  if (divided.some(({ sharding }) => sharding.ranks !== divided[0]!.sharding.ranks)) {
    throw new RangeError('parts: optimizers with shardState must all have one communicator');
  }
  return divided;
}

/** A piece of state that is divided, under its key in a checkpoint. */
export type DividedEntry = PartEntry;

export function entriesOfDivided(divided: readonly Divided[]): DividedEntry[] {
  return divided.flatMap(({ prefix, sharding }) => {
    return sharding.entries().map((entry) => ({ ...entry, key: prefix + entry.key, ownKey: prefix + entry.ownKey }));
  });
}

/** How much goes to rank 0 at a time. */
const stretchBytes = 2 ** 22;

const enum Asked {
  Nothing = -1,
  Stop = -2,
}

/** The pieces of the bytes of an entry, gathered as they are asked for: for rank 0, while the others `serve`. */
export async function* gathered(
  ranks: Ranks,
  entries: readonly DividedEntry[],
  which: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { dtype, shape } = entries[which]!;
  const bytes = dtype === 'float32' ? 4 : 8;
  const size = shape.reduce((product, length) => product * length, 1);
  const stretch = Math.min(size, stretchBytes / bytes);
  const memory = dtype === 'float32' ? new Float32Array(stretch) : new Float64Array(stretch);
  for (let begin = 0; begin < size; begin += stretch) {
    const out = memory.subarray(0, Math.min(stretch, size - begin));
    ranks.broadcast(Float64Array.of(which, begin, begin + out.length));
    ranks.gather([ownPieceOf(entries[which]!, ranks.rank, begin, begin + out.length)], [out]);
    yield new Uint8Array(out.buffer, out.byteOffset, out.byteLength);
    await new Promise(setImmediate);
  }
}

function ownPieceOf({ ranges, memory }: DividedEntry, rank: number, begin: number, end: number): PartEntry['memory'] {
  const [first, after] = ranges[rank]!;
  const from = Math.min(Math.max(begin, first), after);
  return memory.subarray(from - first, Math.max(from, Math.min(end, after)) - first);
}

/**
 * Has all ranks give what rank 0 asks for while it does `make`.
 * @returns what `make` returns, on all ranks: as JSON has it.
 * @throws what `make` throws; CheckpointError, which says the same, on the others.
 */
export async function together<T>(ranks: Ranks, entries: readonly DividedEntry[], make: () => Promise<T>): Promise<T> {
  if (ranks.rank === 0) {
    let made: T;
    try {
      made = await make();
    } catch (error) {
      tellOthers(ranks, error);
      throw error;
    }
    tell(ranks, Asked.Nothing);
    rootsText(ranks, JSON.stringify(made));
    return made;
  }
  for (;;) {
    const asked = new Float64Array(3);
    ranks.broadcast(asked);
    const [which = 0, begin = 0, end = 0] = asked;
    if (which < 0) return answer<T>(ranks, which);
    ranks.gather([ownPieceOf(entries[which]!, ranks.rank, begin, end)], []);
    await new Promise(setImmediate);
  }
}

function tellOthers(ranks: Ranks, error: unknown): void {
  const path = error instanceof CheckpointError ? error.path : '';
  try {
    tell(ranks, Asked.Stop);
    rootsText(ranks, JSON.stringify({ message: reasonOf(error), path }));
  } catch {
    // They have learnt of it: the communicator was aborted.
  }
}

function tell(ranks: Ranks, what: Asked): void {
  ranks.broadcast(Float64Array.of(what, 0, 0));
}

function answer<T>(ranks: Ranks, which: number): T {
  const said: unknown = JSON.parse(rootsText(ranks, ''));
  if ((which as Asked) === Asked.Nothing) return said as T;
  const { message, path } = said as { message: string; path: string };
  throw new CheckpointError('not-saved', `rank 0 could not save: ${message}`, path);
}

/** @throws RangeError where ranks would save different things. */
export function checkAlike(ranks: Ranks, entries: readonly DividedEntry[], step: number): void {
  const own = Float64Array.of(step, entries.length);
  const all = new Float64Array(2 * ranks.size);
  ranks.allGather(own, all);
  for (let rank = 0; rank < ranks.size; rank++) {
    const [theirs, count] = all.subarray(2 * rank, 2 * rank + 2);
    if (theirs !== all[0]) throw new RangeError(`rank ${rank} saves step ${theirs}, rank 0 step ${all[0]}`);
    if (count !== all[1]) throw new RangeError(`rank ${rank} has ${count} slots, rank 0 has ${all[1]}`);
  }
}
