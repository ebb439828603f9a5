import type { Ranks } from './sharding';

/** What was tried here: what it gave, or what it threw. */
export type Attempt<T> = { readonly value: T } | { readonly error: unknown };

export function attempt<T>(make: () => T): Attempt<T> {
  try {
    return { value: make() };
  } catch (error) {
    return { error };
  }
}

/** What it gave. @throws what it threw. */
export function valueOf<T>(tried: Attempt<T>): T {
  if ('error' in tried) throw tried.error;
  return tried.value;
}

/** As `attempt`, of what is asynchronous. */
export async function attemptLater<T>(make: () => Promise<T>): Promise<Attempt<T>> {
  try {
    return { value: await make() };
  } catch (error) {
    return { error };
  }
}

/**
 * Goes on where all ranks have made it, and on none where one has not: called by all.
 * @throws what was thrown here; Error where it was on others, naming them.
 */
export function agreed<T>(ranks: Ranks, tried: Attempt<T>, what: string): T {
  const failed = new Int32Array(ranks.size);
  ranks.allGather(Int32Array.of('error' in tried ? 1 : 0), failed);
  if ('error' in tried) throw tried.error;
  const others = [...failed.keys()].filter((rank) => failed[rank] === 1);
  if (others.length === 0) return tried.value;
  const named = `rank${others.length > 1 ? 's' : ''} ${others.slice(0, 8).join(', ')}`;
  throw new Error(`${what} was not made, as ${named} could not: see what was thrown there`);
}

/** The root's text, for all. */
export function rootsText(ranks: Ranks, text: string): string {
  const length = Int32Array.of(text.length);
  ranks.broadcast(length);
  const units = new Int32Array(length[0]!);
  if (ranks.rank === 0) units.forEach((_, i) => (units[i] = text.charCodeAt(i)));
  ranks.broadcast(units);
  return Array.from(units, (unit) => String.fromCharCode(unit)).join('');
}
