import { lineFor, lineUp, stepAside, withCharge, type Key } from '../tensor/in-flight';

export { checkQuiet, type Key } from '../tensor/in-flight';

/** The turn of one step: what is on the event loop of it runs `inCharge`. */
export class Turn {
  private ahead = 0;

  /** @internal */
  constructor(
    private readonly keys: ReadonlySet<Key>,
    private readonly begin: () => void,
  ) {}

  /**
   * Runs code of this step's, which may change what it has its turn for. To be called between `inTurn`'s `start` and the end of
   * its promise, while native code is not at the memory.
   */
  inCharge<T>(f: () => T): T {
    return withCharge(this, f);
  }

  /** @internal */
  lineUp(): void {
    for (const key of this.keys) if (!lineUp(key, this)) this.ahead++;
    if (this.ahead === 0) this.begin();
  }

  /** @internal */
  leave(): void {
    const ready: Turn[] = [];
    for (const key of this.keys) {
      const next = stepAside(key) as Turn | undefined;
      if (next !== undefined && --next.ahead === 0) ready.push(next);
      if (next === undefined) quiet(key);
    }
    for (const next of ready) next.begin();
  }
}

/**
 * Has what uses the same memory or state follow each other, in the order of the calls; what has nothing in common is
 * under way at once.
 *
 * @param keys what `start` uses: `Memory.key`s, optimizers.
 * @param start is called when all earlier ones that use any of it are over, at once where there are none. What it does on
 * the event loop, user code included, belongs into `turn.inCharge`, but for the part before its first `await`.
 * @returns what `start` returns. The turn is over when that is settled, however.
 */
export function inTurn<T>(keys: Iterable<Key>, start: (turn: Turn) => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const over = <V>(settle: (value: V) => void) => {
      return (value: V): void => {
        turn.leave();
        settle(value);
      };
    };
    const turn = new Turn(new Set(keys), () => {
      started(turn, start).then(over(resolve), over(reject));
    });
    turn.lineUp();
  });
}

async function started<T>(turn: Turn, start: (turn: Turn) => Promise<T>): Promise<T> {
  return turn.inCharge(() => start(turn));
}

/** Those who wait for nobody to be in line for a key. */
const waiting = new Map<Key, (() => void)[]>();

function quiet(key: Key): void {
  const resolves = waiting.get(key);
  if (resolves === undefined) return;
  waiting.delete(key);
  for (const resolve of resolves) resolve();
}

/** Resolves when nothing uses any of these or waits for them; at once where that is so. */
export async function idle(keys: readonly Key[]): Promise<void> {
  for (;;) {
    const busy = keys.find((key) => lineFor(key) !== undefined);
    if (busy === undefined) return;
    await new Promise<void>((resolve) => {
      const resolves = waiting.get(busy);
      if (resolves === undefined) waiting.set(busy, [resolve]);
      else resolves.push(resolve);
    });
  }
}
