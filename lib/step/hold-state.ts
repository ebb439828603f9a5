import { checkFunction } from '../checks';
import { GlobalStep } from '../tensor/global-step';
import { checkParts, type Stateful } from '../tensor/state';
import { Variable } from '../tensor/variable';
import { stepsElsewhere, type StepsElsewhere } from './elsewhere';
import { inTurn, type Key } from './turns';

/** What an asynchronous step that changes this part must have for itself. */
function keysOf(part: Stateful): readonly Key[] {
  if (part instanceof Variable) return [part.memory.key];
  if (part instanceof GlobalStep) return [part.buffer];
  const { turnKeys } = part as { turnKeys?: () => Key[] };
  return typeof turnKeys === 'function' ? turnKeys.call(part) : [part];
}

/** What steps of this thread, or of others, that change any of these must have for themselves. */
export const keysOfParts = (parts: Iterable<Stateful>): Key[] => checkParts(parts).flatMap(keysOf);

/**
 * Calls `use` when no asynchronous step uses any of these, and keeps steps away from them until its promise is settled: state
 * that is read there is that of one step, however many calls it takes. Steps that were asked for before come first, those
 * asked for meanwhile wait, in the order of the calls; synchronous steps are refused meanwhile. Where a training in workers
 * (`trainInWorkers`) changes any of these, its steps wait too, wherever they are made.
 *
 * @param parts variables, optimizers, what else has state.
 * @param use is called at once where nothing is under way. `inCharge` runs a function that reads or restores state: up to its
 * first `await` that is not needed.
 * @returns what `use` returns.
 * @throws TypeError for what has no state, Error for a variable whose memory is gone.
 * @example
 * const saved = holdState([w, optimizer], async () => copyState(collectState([w, optimizer])));
 */
export async function holdState<T>(
  parts: Iterable<Stateful>,
  use: (inCharge: <R>(f: () => R) => R) => Promise<T>,
): Promise<T> {
  checkFunction('use', use);
  const keys = keysOfParts(parts);
  for (;;) {
    const elsewhere = stepsElsewhere(keys);
    // In turn with each other too: two that each held one would wait for the other.
    const held = await inTurn([...keys, ...elsewhere], async (turn) => {
      const now = stepsElsewhere(keys);
      const isAsBefore = now.length === elsewhere.length && now.every((steps) => elsewhere.includes(steps));
      if (!isAsBefore) return null; // a training has begun or ended while this waited
      const value = await withoutOthers(elsewhere, () => use((f) => turn.inCharge(f)));
      return { value };
    });
    if (held !== null) return held.value;
  }
}

/** `use` is called at once where there are none. */
async function withoutOthers<T>(others: readonly StepsElsewhere[], use: () => Promise<T>): Promise<T> {
  if (others.length === 0) return use();
  const releases: (() => void)[] = [];
  try {
    for (const each of others) releases.push(await each.hold());
    return await use();
  } finally {
    for (const release of releases) release();
  }
}
