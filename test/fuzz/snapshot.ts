import { overlaps, rangeOf, type Range } from './memory';

/** Tensors that share what becomes of their memory: a gradient, and what clipping made of it. */
export interface Family {
  /** Whether a step has used it up: the next gradients may take its memory. */
  isSpent: boolean;
}

/** One thing that can be seen. */
export interface Seen {
  /** In words; of memory, whether it is there. */
  readonly text: string;
  readonly range?: Range | undefined;
  readonly bytes?: Buffer | undefined;
  readonly family?: Family | undefined;
}

export type Snapshot = Map<string, Seen>;

/** What a call may change. */
export interface Allowed {
  /** Memory that it may write, or take away. */
  readonly ranges?: readonly Range[];
  /** Beginnings of the keys of what it may change in any way. */
  readonly keys?: readonly string[];
  /** Tensors that it may write. */
  readonly families?: readonly Family[];
  /** Whether gradients that have been used up may go. */
  readonly retires?: boolean;
}

export const gone = 'gone';

/** Stands for what cannot be told: equal to all. */
export const anything: Seen = { text: 'anything' };

/** What an array's memory holds, without believing what the array says of itself. */
export function seenMemory(array: ArrayBufferView, family?: Family): Seen {
  const range = rangeOf(array);
  const { buffer, start, end } = range;
  if (buffer.byteLength < end || isDetached(buffer)) return { text: gone, family };
  return { text: 'there', range, bytes: Buffer.from(new Uint8Array(buffer, start, end - start)), family };
}

const isDetached = (buffer: ArrayBufferLike): boolean => {
  try {
    new Uint8Array(buffer);
    return false;
  } catch {
    return true;
  }
};

/** What has changed from one snapshot to the next and was not allowed to, in words. */
export function forbiddenChanges(before: Snapshot, after: Snapshot, allowed: Allowed): string[] {
  const changes: string[] = [];
  for (const [key, was] of before) {
    const is = after.get(key);
    if (was === anything || (is !== undefined && isEqual(was, is))) continue;
    if (allowed.keys?.some((start) => key.startsWith(start)) === true) continue;
    if (is === undefined) changes.push(`${key} is no more`);
    else if (!isAllowed(was, is, allowed)) changes.push(`${key} was ${shown(was)}, is ${shown(is)}`);
  }
  for (const key of after.keys()) {
    const isState = key.includes('.'); // what belongs to something that was there before; else it is new itself
    if (before.has(key) || !isState || !before.has(key.slice(0, key.indexOf('.')))) continue;
    if (allowed.keys?.some((start) => key.startsWith(start)) !== true) changes.push(`${key} has come to be`);
  }
  return changes;
}

export function isEqual(a: Seen, b: Seen): boolean {
  if (a.text !== b.text || a.range?.buffer !== b.range?.buffer) return false;
  if (a.range?.start !== b.range?.start || a.range?.end !== b.range?.end) return false;
  return a.bytes === undefined || a.bytes.equals(b.bytes!);
}

function isAllowed(was: Seen, is: Seen, { ranges = [], families = [], retires = false }: Allowed): boolean {
  const { family } = was;
  if (family !== undefined && families.includes(family)) return true;
  if (is.text === gone && retires && family?.isSpent === true) return true;
  const touched = ranges.filter((range) => was.range !== undefined && overlaps(range, was.range));
  if (touched.length === 0) return false;
  if (is.range === undefined || was.range!.end !== is.range.end || was.range!.buffer !== is.range.buffer) return true;
  const { start } = was.range!;
  return was.bytes!.every((byte, i) => {
    return byte === is.bytes![i] || touched.some((range) => range.start <= start + i && start + i < range.end);
  });
}

function shown({ text, bytes, range }: Seen): string {
  if (bytes === undefined || range === undefined) return text;
  const first = bytes.subarray(0, 32).toString('hex').replace(/.{8}/g, '$& ').trim();
  return `[${range.start}, ${range.end}) ${first}${bytes.length > 32 ? ' ...' : ''}`;
}
