import { shown } from '../checks';
import { isFloatArray, type FloatArray } from '../dtype';
import { Tensor } from '../tensor';
import type { Variable } from '../variable';
import type { Update } from './pairs';

/**
 * Runs a step, then the constraints of its variables. A constraint is the user's code and may throw: then everything
 * is put back as it was. Only steps that have a constraint pay for the copies this takes.
 */
export function withConstraints(
  updates: readonly Update[],
  slotsOf: (variable: Variable) => readonly Variable[],
  step: () => void,
): void {
  if (!updates.some(({ variable }) => variable.constraint !== null)) return step();
  const constrained = updates.filter(({ variable }) => variable.constraint !== null);
  const before = updates
    .flatMap(({ variable }) => [variable, ...slotsOf(variable)])
    .map(({ data }) => ({ data, copy: data.slice() }));
  step();
  try {
    for (const { variable } of constrained) variable.assign(constrainedValue(variable));
  } catch (error) {
    for (const { data, copy } of before) data.set(copy);
    throw error;
  }
}

function constrainedValue(variable: Variable): Tensor | FloatArray {
  const value: unknown = variable.constraint!(variable.value.view(variable.shape));
  if (value instanceof Tensor || isFloatArray(value)) return value;
  throw new TypeError(`constraint of '${variable.name}' must return a Tensor or a typed array, got ${shown(value)}`);
}
