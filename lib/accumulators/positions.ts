import type { StateSource } from '../tensor/state';
import type { Variable } from '../tensor/variable';

/**
 * The variables that have an entry `<prefix><name>/position`, in the order of what it says.
 * @param own variables that are known beside the source's.
 * @throws Error for names that no variable has, RangeError unless the positions are 0, 1, 2, ...
 */
export function takePositions(source: StateSource, prefix: string, own: Iterable<Variable>): Variable[] {
  const known = [...own];
  const ending = '/position';
  const keys = source.unclaimed().filter((key) => key.startsWith(prefix) && key.endsWith(ending));
  const variables = new Array<Variable | undefined>(keys.length).fill(undefined);
  for (const key of keys) {
    const position = source.takeCount(key);
    if (position >= keys.length || variables[position] !== undefined) {
      source.refuse(key, `is ${position}, expected each of 0 to ${keys.length - 1} once`);
    }
    variables[position] = source.variableNamed(key.slice(prefix.length, -ending.length), known);
  }
  return variables as Variable[];
}
