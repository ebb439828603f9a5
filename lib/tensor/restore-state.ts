import { checkBoolean, isIterable, shown } from '../checks';
import { checkOptions, type NamesOf } from '../options';
import { checkParts, planParts, type RestoreOptions, type StateEntry, type Stateful } from './state';
import { Variable } from './variable';

const restoreNames: NamesOf<RestoreOptions> = { variables: true, adopt: true };

/**
 * Restores several objects from one list, as `collectState` gave it: all of them, or when it throws none.
 *
 * @param options.variables beside those that are among the parts.
 * @throws what `Stateful.restore` throws, and Error for state that could belong to two of the parts; `prefixed` tells
 * them apart.
 * @example
 * const entries = copyState(collectState([v, w, optimizer]));
 * restoreState([v, w, new AdamOptimizer()], entries);
 */
export function restoreState(
  parts: Iterable<Stateful>,
  entries: Iterable<StateEntry>,
  options: RestoreOptions = {},
): void {
  planState(parts, entries, options)();
}

/** @internal The first half of that, which changes nothing. Returns the second half, which cannot fail. */
export function planState(
  parts: Iterable<Stateful>,
  entries: Iterable<StateEntry>,
  options: RestoreOptions = {},
): () => void {
  checkOptions('options', options, restoreNames);
  const { variables = [], adopt = false } = options;
  checkBoolean('adopt', adopt);
  if (!isIterable(variables)) {
    throw new TypeError(`variables must be an iterable of Variables, got ${shown(variables)}`);
  }
  const given: unknown[] = [...variables];
  for (const variable of given) {
    if (!(variable instanceof Variable)) throw new TypeError(`variables must hold Variables, got ${shown(variable)}`);
  }
  const list = checkParts(parts);
  const isVariable = (part: unknown): part is Variable => part instanceof Variable;
  const known = new Set([...(given as Variable[]), ...list.filter(isVariable)]);
  return planParts(list, entries, [...known], adopt, isVariable);
}
