import { shown } from '../checks';
import { IndexedSlices, type Gradient } from '../tensor/indexed-slices';
import { kernels } from '../tensor/trace';
import type { Tensor } from '../tensor/tensor';
import { sameShape, showShape } from '../tensor/shape';
import { allocate, inScope } from './scope';
import { concatenateRows, scattered } from './rows';
import { derived, operandOf, wayBack } from './way-back';

/**
 * How the gradient terms of a tensor that feeds several ops are added up. Sums may differ in rounding only.
 *
 * - `ADD_N` (the default): one pass over all the terms.
 * - `EXPERIMENTAL_TREE`: pairwise, from left to right, as the terms come.
 * - `EXPERIMENTAL_ACCUMULATE_N`: more than two terms go into one buffer; fewer as in a tree.
 *
 * Source: `tf.AggregationMethod`.
 */
export const AggregationMethod = {
  ADD_N: 0,
  DEFAULT: 0,
  EXPERIMENTAL_TREE: 1,
  EXPERIMENTAL_ACCUMULATE_N: 2,
} as const;
export type AggregationMethod = (typeof AggregationMethod)[keyof typeof AggregationMethod];

/** @throws RangeError unless `method` is one of AggregationMethod's. */
export function checkAggregationMethod(method: unknown): asserts method is AggregationMethod {
  if (method !== 0 && method !== 1 && method !== 2) {
    throw new RangeError(
      `aggregationMethod must be one of AggregationMethod.ADD_N, EXPERIMENTAL_TREE, EXPERIMENTAL_ACCUMULATE_N, got ${shown(method)}`,
    );
  }
}

/** The sum of `terms`: sparse when all of them are, else dense. */
export function aggregate(terms: readonly Gradient[], method: AggregationMethod): Gradient {
  const [first] = terms;
  if (terms.length === 1) return first!;
  if (terms.every((term) => term instanceof IndexedSlices)) return concatenateRows(terms);
  const dense = terms.map(toDense);
  for (const term of dense) {
    if (!sameShape(term.shape, dense[0]!.shape)) {
      throw new RangeError(`gradient terms have shapes ${showShape(dense[0]!.shape)} and ${showShape(term.shape)}`);
    }
  }
  switch (method) {
    case AggregationMethod.ADD_N:
      return addN(dense);
    case AggregationMethod.EXPERIMENTAL_TREE:
      return dense.reduce((sum, term) => addN([sum, term]));
    case AggregationMethod.EXPERIMENTAL_ACCUMULATE_N:
      return dense.length > 2 && wayBack === null ? accumulateN(dense) : addN(dense);
  }
}

export function toDense(gradient: Gradient): Tensor {
  if (!(gradient instanceof IndexedSlices)) return gradient;
  return wayBack === null ? inScope(gradient.toDense()) : scattered(gradient);
}

function addN(terms: readonly Tensor[]): Tensor {
  const sum = allocate(terms[0]!.dtype, terms[0]!.shape, terms[0]!.size);
  kernels.addN(sum.operand, terms.map(operandOf));
  return derived(terms, sum, (dy) => terms.map(() => dy));
}

function accumulateN(terms: readonly Tensor[]): Tensor {
  const sum = allocate(terms[0]!.dtype, terms[0]!.shape, terms[0]!.size);
  kernels.fill(sum.operand, 0);
  for (const { memory, factor } of terms) kernels.addScaled(sum.operand, memory.operand, factor);
  return sum;
}
