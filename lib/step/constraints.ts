import { shown } from '../checks';
import { isFloatArray } from '../tensor/arrays';
import type { FloatArray } from '../tensor/dtype';
import { Tensor } from '../tensor/tensor';
import type { Variable } from '../tensor/variable';

/**
 * The constraints of a step's variables. A constraint is the user's code and may throw: then everything is put back as it
 * was when this was made.
 */
export class Constraints {
  private readonly before: readonly { readonly data: FloatArray; readonly copy: FloatArray }[];

  constructor(
    private readonly constrained: readonly Variable[],
    changed: readonly Variable[],
  ) {
    this.before = changed.map(({ data }) => ({ data, copy: data.slice() }));
  }

  /** @throws what a constraint throws, TypeError or RangeError for a value that is none; `putBack` does the rest. */
  apply(putBack: () => void): void {
    try {
      for (const variable of this.constrained) variable.assign(constrainedValue(variable));
    } catch (error) {
      for (const { data, copy } of this.before) {
        if (data.length === copy.length) data.set(copy); // not where the constraint has taken the memory away
      }
      putBack();
      throw error;
    }
  }
}

function constrainedValue(variable: Variable): Tensor | FloatArray {
  const value: unknown = variable.constraint!(variable.value.view(variable.shape));
  if (value instanceof Tensor || isFloatArray(value)) return value;
  throw new TypeError(`constraint of '${variable.name}' must return a Tensor or a typed array, got ${shown(value)}`);
}
