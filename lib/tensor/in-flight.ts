// What steps off the event loop are using, or are waiting to use.

/**
 * What steps have in turn: memory by the address where its buffer starts, which all arrays over it have in common, and
 * whatever else has a state, by itself.
 */
export type Key = number | object;

/** Those that have asked for a key, in their order: the first is at it. */
const lines = new Map<Key, object[]>();
/** The one whose code on the event loop is running. */
let inCharge: object | null = null;

/** @internal */
export function lineFor(key: Key): object[] | undefined {
  return lines.get(key);
}

/** @internal Takes its place in the line for a key. Returns whether it is the first. */
export function lineUp(key: Key, who: object): boolean {
  const line = lines.get(key);
  if (line === undefined) lines.set(key, [who]);
  else line.push(who);
  return line === undefined;
}

/** @internal The first leaves. Returns who is the first now. */
export function stepAside(key: Key): object | undefined {
  const line = lines.get(key)!;
  line.shift();
  if (line.length === 0) lines.delete(key);
  return line[0];
}

/** @internal Runs `f` as the code of `who`: what `who` is the first in line for is `f`'s to change. */
export function withCharge<T>(who: object, f: () => T): T {
  const before = inCharge;
  inCharge = who;
  try {
    return f();
  } finally {
    inCharge = before;
  }
}

/** Whether a step is in flight at all: if not, there is nothing to look at. */
export function isAnythingInFlight(): boolean {
  return lines.size > 0;
}

/**
 * @param what whose memory or state it is, for the message.
 * @throws Error when a step off the event loop is using it, or waits for it.
 */
export function checkQuiet(key: Key, what: () => string): void {
  if (lines.size === 0) return;
  const line = lines.get(key);
  if (line === undefined || line[0] === inCharge) return;
  throw new Error(
    `${what()} is used by an asynchronous step that is not over: await its promise, or optimizer.idle(), first`,
  );
}
