import type { Piece } from './digest';

/** Texts in which ranks differ. @param lists of each rank: the variables in words. */
export function differentLists(lists: readonly (readonly string[])[]): RangeError {
  const [first] = lists;
  const rank = lists.findIndex((list) => list.length !== first!.length || list.some((text, i) => text !== first![i]));
  const other = lists[rank]!;
  const at = Array.from({ length: Math.max(first!.length, other.length) }, (_, i) => i).find(
    (i) => first![i] !== other[i],
  )!;
  const shown = (list: readonly string[]): string => list[at] ?? `no variable (it has ${list.length})`;
  return new RangeError(
    `ranks compute gradients of different variables: at ${at} rank 0 has ${shown(first!)}, ` +
      `rank ${rank} has ${shown(other)}; give all ranks one varList`,
  );
}

/**
 * What ranks whose state is another than that of most differ in.
 * @param sums of each rank: what is the same where the state is.
 */
export function differentStates(sums: readonly string[], pieces: readonly (readonly Piece[])[]): Error {
  const countOf = (sum: string): number => sums.filter((other) => other === sum).length;
  const most = Math.max(...sums.map(countOf));
  const usual = sums.findIndex((sum) => countOf(sum) === most); // of the lowest rank among them
  const others = [...sums.keys()].filter((rank) => sums[rank] !== sums[usual]);
  const rank = others[0]!;
  const found = differencesBetween(pieces[usual]!, pieces[rank]!);
  const more = found.length > mostShown ? ` and ${found.length - mostShown} more` : '';
  const who = others.length === 1 ? `rank ${rank} has` : `ranks ${listed(others)} have`;
  return new Error(
    `${who} another state than rank ${usual}: on rank ${rank} ${found.slice(0, mostShown).join(', ')}${more}; ` +
      'broadcastState gives all ranks the state of one',
  );
}

function listed(ranks: readonly number[]): string {
  const more = ranks.length > mostShown ? ` and ${ranks.length - mostShown} more` : '';
  return ranks.slice(0, mostShown).join(', ') + more;
}

const mostShown = 4;

function differencesBetween(usual: readonly Piece[], other: readonly Piece[]): string[] {
  const [expected, given] = [byKey(usual), byKey(other)];
  const found = [...expected].flatMap(([key, piece]) => {
    const own = given.get(key);
    if (own === undefined) return [`'${key}' is missing`];
    if (own.form !== piece.form) return [`'${key}' is ${own.form}, not ${piece.form}`];
    return own.sum === piece.sum ? [] : [`'${key}' has other values`];
  });
  const unknown = [...given.keys()]
    .filter((key) => !expected.has(key))
    .map((key) => `'${key}' is one that others lack`);
  return [...found, ...unknown, ...(found.length + unknown.length === 0 ? ['its pieces come in another order'] : [])];
}

/** Several of one key are told apart by numbers. */
function byKey(pieces: readonly Piece[]): Map<string, Piece> {
  const found = new Map<string, Piece>();
  for (const piece of pieces) {
    let { key } = piece;
    for (let n = 2; found.has(key); n++) key = `${piece.key} (${n})`;
    found.set(key, piece);
  }
  return found;
}
