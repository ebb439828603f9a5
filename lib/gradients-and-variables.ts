import type { FloatArray } from './dtype';
import type { Gradient } from './indexed-slices';
import type { Tensor } from './tensor';
import type { Variable } from './variable';

/** A gradient, or null where the loss does not depend on the variable, and its variable. */
export type GradientAndVariable = readonly [Gradient | FloatArray | null, Variable];

/** What `computeGradients` returns: pairs of gradients and variables, and the loss they are of. */
export class GradientsAndVariables extends Array<[Gradient | null, Variable]> {
  /** The value of the loss. */
  readonly loss!: Tensor;

  /** @internal map, filter and the like give plain arrays: what they make is no longer what computeGradients returned. */
  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }

  /** @internal */
  static of_(pairs: Iterable<[Gradient | null, Variable]>, loss: Tensor): GradientsAndVariables {
    const result = new GradientsAndVariables();
    for (const pair of pairs) result.push(pair);
    Object.defineProperty(result, 'loss', { value: loss, enumerable: false });
    return result;
  }
}
