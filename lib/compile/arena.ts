import type { Value } from './values';

const lineBytes = 64;

/**
 * Places values in one arena, each on cache lines of its own, so that no two that are needed at the same moment overlap.
 * Large ones first, each as far in front as it can lie.
 * @returns the bytes of the arena.
 */
export function place(values: Iterable<Value>): number {
  const all = [...values];
  const alone = all.filter(({ within }) => within === null);
  const size = placeAlone(alone);
  for (const value of all) if (value.within !== null) value.offset = value.within.value.offset + value.within.offset;
  return size;
}

function placeAlone(values: Value[]): number {
  const sorted = values.sort((a, b) => b.bytes - a.bytes || a.first - b.first);
  const placed: { readonly value: Value; readonly end: number }[] = []; // by their offsets
  let size = 0;
  for (const value of sorted) {
    const bytes = Math.ceil(value.bytes / lineBytes) * lineBytes;
    let offset = 0;
    for (const { value: other, end } of placed) {
      if (other.first > value.last || other.last < value.first) continue;
      if (other.offset >= offset + bytes) break;
      offset = Math.max(offset, end);
    }
    value.offset = offset;
    const at = placed.findIndex(({ value: other }) => other.offset > offset);
    placed.splice(at < 0 ? placed.length : at, 0, { value, end: offset + bytes });
    size = Math.max(size, offset + bytes);
  }
  return size;
}
