import { shown } from '../checks';
import { isFloatArray, type FloatArray } from '../tensor/dtype';
import { Tensor } from '../tensor/tensor';
import type { Variable } from '../tensor/variable';

/**
 * Runs a step, then the constraints of its variables. A constraint is the user's code and may throw: then everything
 * is put back as it was.
 */
export function withConstraints(
  constrained: readonly Variable[],
  changed: readonly Variable[],
  step: () => void,
): void {
  const before = changed.map(({ data }) => ({ data, copy: data.slice() }));
  step();
  try {
    for (const variable of constrained) variable.assign(constrainedValue(variable));
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
