import { checkFunction } from '../checks';
import { GlobalStep } from '../tensor/global-step';
import { checkParts, type Stateful } from '../tensor/state';
import { Variable } from '../tensor/variable';
import { inTurn, type Key } from './turns';

/** What an asynchronous step that changes this part must have for itself. */
function keysOf(part: Stateful): readonly Key[] {
  if (part instanceof Variable) return [part.memory.key];
  if (part instanceof GlobalStep) return [part.buffer];
  const { turnKeys } = part as { turnKeys?: () => Key[] };
  return typeof turnKeys === 'function' ? turnKeys.call(part) : [part];
}

/**
 * Calls `use` when no asynchronous step uses any of these, and keeps steps away from them until its promise is settled: state
 * that is read there is that of one step, however many calls it takes. Steps that were asked for before come first, those
 * asked for meanwhile wait, in the order of the calls; synchronous steps are refused meanwhile.
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
  const keys = checkParts(parts).flatMap(keysOf);
  return inTurn(keys, (turn) => use((f) => turn.inCharge(f)));
}
