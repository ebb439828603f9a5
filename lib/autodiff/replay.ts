// A function that runs twice is to draw the same random numbers again.

interface Draws {
  readonly taken: unknown[];
  /** Which comes next, where they are taken again. */
  next: number | null;
}

let current: Draws | null = null;

function within<T>(draws: Draws | null, f: () => T): T {
  const before = current;
  current = draws;
  try {
    return f();
  } finally {
    current = before;
  }
}

/** Runs `f`. @returns what it gives, and what runs another function with the draws of this run. */
export function noting<T>(f: () => T): { result: T; again: <R>(f: () => R) => R } {
  const taken: unknown[] = [];
  const result = within({ taken, next: null }, f);
  return { result, again: (g) => within({ taken, next: 0 }, g) };
}

/** Takes a draw, or the one that was taken here before. @throws Error when less was drawn then. */
export function drawn<T>(take: () => T): T {
  const draws = current;
  if (draws === null) return take();
  if (draws.next === null) {
    const draw = within(null, take);
    draws.taken.push(draw);
    return draw;
  }
  if (draws.next >= draws.taken.length) {
    throw new Error('a checkpointed function has drawn more random numbers when it was run again: it must do the same');
  }
  return draws.taken[draws.next++] as T;
}
