import { shown } from '../checks';

/**
 * What becomes of a loss for each element, L, and of weights w that are broadcast to its shape.
 *
 * - `NONE`: w L, of the shape of L.
 * - `SUM`: Σ w L.
 * - `MEAN`: Σ w L / Σ w.
 * - `SUM_OVER_BATCH_SIZE`: Σ w L over the number of elements of L.
 * - `SUM_BY_NONZERO_WEIGHTS`, or `SUM_OVER_NONZERO_WEIGHTS`, the default: Σ w L over the number of elements whose weight is
 *   not 0.
 *
 * What would be divided by 0 is 0, and so are its gradients.
 *
 * Source: `tf.losses.Reduction`.
 */
export const Reduction = {
  NONE: 'none',
  SUM: 'weighted_sum',
  MEAN: 'weighted_mean',
  SUM_OVER_BATCH_SIZE: 'weighted_sum_over_batch_size',
  SUM_BY_NONZERO_WEIGHTS: 'weighted_sum_by_nonzero_weights',
  SUM_OVER_NONZERO_WEIGHTS: 'weighted_sum_by_nonzero_weights',
} as const;
export type Reduction = (typeof Reduction)[keyof typeof Reduction];

const all: readonly unknown[] = Object.values(Reduction);

/** @throws RangeError unless `reduction` is one of Reduction's. */
export function checkReduction(reduction: unknown): asserts reduction is Reduction {
  if (!all.includes(reduction)) {
    const word = typeof reduction === 'string' ? reduction.toUpperCase() : '';
    const hint = word in Reduction ? `: write losses.Reduction.${word}` : '';
    throw new RangeError(
      `reduction must be one of Reduction.${Object.keys(Reduction).join(', ')}, got ${shown(reduction)}${hint}`,
    );
  }
}
