import { shown, isIterable } from '../checks';

/** [a₀, b₀], [a₁, b₁], ... as [[a₀, a₁, ...], [b₀, b₁, ...]]: gradients and variables apart. */
export function unzip<A, B>(pairs: Iterable<readonly [A, B]>): [A[], B[]] {
  if (!isIterable(pairs)) throw new TypeError(`unzip takes a list of pairs, got ${shown(pairs)}`);
  const list = [...pairs];
  for (const pair of list as readonly unknown[]) {
    if (!Array.isArray(pair) || pair.length !== 2)
      throw new TypeError(`unzip takes a list of pairs, got ${shown(pair)} in it`);
  }
  return [list.map(([a]) => a), list.map(([, b]) => b)];
}

/** [a₀, a₁, ...] and [b₀, b₁, ...] as [a₀, b₀], [a₁, b₁], ... @throws RangeError for lists of different lengths. */
export function zip<A, B>(as: readonly A[], bs: readonly B[]): [A, B][] {
  if (![as, bs].every((list) => Array.isArray(list))) {
    throw new TypeError(`zip takes two arrays, got ${shown(as)} and ${shown(bs)}`);
  }
  if (as.length !== bs.length) throw new RangeError(`zip takes lists of one length, got ${as.length} and ${bs.length}`);
  return as.map((a, i) => [a, bs[i]!]);
}
