import { sharedArray } from '../tensor/arrays';
import { showShape } from '../tensor/shape';
import {
  inOrder,
  planVariables,
  uniqueEntries,
  variableEntry,
  type StateEntry,
  type StateSource,
} from '../tensor/state';
import { Variable } from '../tensor/variable';
import type { NonSlots } from './non-slots';
import type { Settings } from './settings';
import type { Slots } from './slots';

// The state of an optimizer: slots by `<variable>/<suffix>`, what belongs to no variable by its own name.

/** What an optimizer's state consists of. */
export interface OptimizerState {
  readonly slots: Slots;
  /** null where there is nothing that belongs to no variable. */
  readonly nonSlots: NonSlots | null;
  readonly settingsOf: (variable: Variable) => Settings;
}

/** @throws Error when two slots have one key, naming both: their variables have one name. */
export function stateOf({ slots, nonSlots }: OptimizerState): StateEntry[] {
  const owned = slots.owners().flatMap((variable) => {
    return slots.namesAndKeys(variable).map(({ name }) => {
      const owner = `slot '${name}' of the variable '${variable.name}' of shape ${showShape(variable.shape)}`;
      return [owner, variableEntry(slots.get(variable, name)!)] as const;
    });
  });
  const shared = (nonSlots?.variables() ?? []).map((variable) => ['the optimizer', variableEntry(variable)] as const);
  return uniqueEntries([...owned, ...shared]);
}

/**
 * Plans to restore an optimizer. Slots that exist are written to; those of the source's variables that do not exist yet
 * and that the source has are made, over its memory where that is to be adopted. No schedule is asked for a value.
 * @throws what `Stateful.planRestore` throws, with nothing made and nothing changed.
 */
export function planOptimizer({ slots, nonSlots, settingsOf }: OptimizerState, source: StateSource): () => void {
  const withSlots = new Set(slots.owners());
  const steps = [planVariables(source, slots.all())];
  const stepped = new Set(withSlots);
  for (const variable of new Set(source.variables)) {
    const keys = slots.namesAndKeys(variable);
    if (withSlots.has(variable) || !keys.some(({ key }) => source.has(key))) continue;
    void variable.data; // throws when it is disposed of
    const made = keys.map(({ key }) => newVariable(source, key, variable));
    steps.push(() => slots.adopt(variable, made));
    stepped.add(variable);
  }
  if (nonSlots !== null) steps.push(planNonSlots(nonSlots, source, stepped, settingsOf));
  return inOrder(steps);
}

function planNonSlots(
  nonSlots: NonSlots,
  source: StateSource,
  stepped: ReadonlySet<Variable>,
  settingsOf: OptimizerState['settingsOf'],
): () => void {
  const needed = new Set(Array.from(stepped, settingsOf));
  const groups = new Set([...nonSlots.settings(), ...needed, ...source.variables.map(settingsOf)]);
  return inOrder(
    Array.from(groups, (settings) => {
      const existing = nonSlots.existing(settings);
      if (existing !== null) return planVariables(source, existing);
      const keys = nonSlots.keys(settings);
      if (!needed.has(settings) && !keys.some((key) => source.has(key))) return () => {};
      const memories = keys.map((key) => {
        return source.memoryOf(source.take(key, 'float64', []), () => sharedArray('float64', 1));
      });
      return () => nonSlots.adopt(settings, memories);
    }),
  );
}

/** A variable of state like `like`, from the source. */
function newVariable(source: StateSource, key: string, like: Variable): Variable {
  const { dtype, size, shape } = like;
  const memory = source.memoryOf(source.take(key, dtype, shape), () => sharedArray(dtype, size));
  return new Variable(memory, { name: key, trainable: false, shape });
}
