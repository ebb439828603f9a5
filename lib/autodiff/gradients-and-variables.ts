import type { FloatArray } from '../tensor/dtype';
import type { Gradient } from '../tensor/indexed-slices';
import type { Tensor } from '../tensor/tensor';
import type { Variable } from '../tensor/variable';

/** A gradient, or null where the loss does not depend on the variable, and its variable. */
export type GradientAndVariable = readonly [Gradient | FloatArray | null, Variable];

/** What `computeGradients` returns: pairs of gradients and variables, and the loss they are of. */
export class GradientsAndVariables extends Array<[Gradient | null, Variable]> {
  /** The value of the loss. */
  declare readonly loss: Tensor;

  /** @internal map, filter and the like give plain arrays: what they make is no longer what computeGradients returned. */
  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }

  /** @internal */
  static of_(pairs: readonly [Gradient | null, Variable][], loss: Tensor): GradientsAndVariables {
    const result = new GradientsAndVariables();
    for (let i = 0; i < pairs.length; i++) result[i] = pairs[i]!;
    return Object.assign(result, { loss }); // 20 times as fast as push and defineProperty
  }
}
