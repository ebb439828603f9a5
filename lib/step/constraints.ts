import { shown } from '../checks';
import { copyInto, isFloatArray, newArray } from '../tensor/arrays';
import type { FloatArray } from '../tensor/dtype';
import type { Memory } from '../tensor/memory';
import { isTensor, type Tensor } from '../tensor/tensor';
import type { Variable } from '../tensor/variable';

/**
 * The constraints of a step's variables. A constraint is the user's code and may throw: then everything is put back as it
 * was when this was made.
 */
export class Constraints {
  private readonly before: readonly { readonly memory: Memory; readonly copy: FloatArray }[];

  constructor(
    private readonly constrained: readonly Variable[],
    changed: readonly Variable[],
  ) {
    this.before = changed.map(({ memory }) => {
      const copy = newArray(memory.dtype, memory.length);
      copyInto(copy, memory.array);
      return { memory, copy };
    });
  }

  /** @throws what a constraint throws, TypeError or RangeError for a value that is none; `putBack` does the rest. */
  apply(putBack: () => void): void {
    try {
      for (const variable of this.constrained) variable.assign(constrainedValue(variable));
    } catch (error) {
      for (const { memory, copy } of this.before) {
        // Not where the constraint has taken the memory away.
        if (!memory.isGone && memory.isThere) copyInto(memory.array, copy);
      }
      putBack();
      throw error;
    }
  }
}

function constrainedValue(variable: Variable): Tensor | FloatArray {
  const value: unknown = variable.constraint!(variable.value.view(variable.shape));
  if (isTensor(value) || isFloatArray(value)) return value as Tensor | FloatArray; // which `assign` looks at
  throw new TypeError(`constraint of '${variable.name}' must return a Tensor or a typed array, got ${shown(value)}`);
}
