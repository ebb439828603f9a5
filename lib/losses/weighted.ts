import type { TensorLike } from '../autodiff/tape';
import { toTensor } from '../autodiff/tape';
import { checkOptions, type NamesOf } from '../options';
import { divNoNan, mul, reduceMean, reduceSum } from '../ops';
import { binaryWith, scaled, summed } from '../ops/primitives';
import { showShape } from '../tensor/shape';
import type { Tensor } from '../tensor/tensor';
import { checkReduction, Reduction } from './reduction';

/** Options of every loss. */
export interface LossOptions {
  /**
   * What each element of the loss counts: a number; or a tensor without dimensions, or of as many as the loss, each of its size
   * or of size 1. Gradients flow to a tensor of weights too. Default: 1.
   */
  weights?: TensorLike;
  /** What becomes of the weighted elements. Default: `Reduction.SUM_BY_NONZERO_WEIGHTS`. */
  reduction?: Reduction;
}

export const lossNames: NamesOf<LossOptions> = { weights: true, reduction: true };

/**
 * The weighted loss of losses for each element: their products with the weights, reduced to one number as `reduction` says.
 *
 * @param losses of any shape.
 * @returns a tensor without dimensions; with `Reduction.NONE` one of the shape of `losses`.
 * @throws TypeError for arguments of a wrong kind, RangeError for weights that do not broadcast to `losses` or another
 * reduction.
 * Source: `tf.losses.compute_weighted_loss`.
 */
export function computeWeightedLoss(losses: TensorLike, options: LossOptions = {}): Tensor {
  checkOptions('options', options, lossNames);
  const { weights = 1, reduction = Reduction.SUM_BY_NONZERO_WEIGHTS } = options;
  checkReduction(reduction);
  const each = toTensor('losses', losses);
  if (typeof weights === 'number' && Number.isFinite(weights) && weights !== 0 && each.size > 0) {
    return ofOneWeight(losses, weights, reduction);
  }
  const factors = toTensor('weights', weights, each.dtype);
  checkBroadcasts(factors, each);
  const products = mul(losses, weights);
  if (reduction === Reduction.NONE) return products;
  const sum = reduceSum(products);
  if (reduction === Reduction.SUM) return sum;
  return divNoNan(sum, divisorOf(typeof weights === 'number' ? factors : weights, factors, each, reduction));
}

/** What is weighted alike is the mean times the weight, or the mean itself. */
function ofOneWeight(losses: TensorLike, weight: number, reduction: Reduction): Tensor {
  const weighted = (x: TensorLike): Tensor => mul(x, weight);
  if (reduction === Reduction.NONE) return weighted(losses);
  if (reduction === Reduction.SUM) return weighted(reduceSum(losses));
  return reduction === Reduction.MEAN ? reduceMean(losses) : weighted(reduceMean(losses));
}

function divisorOf(weights: TensorLike, factors: Tensor, each: Tensor, reduction: Reduction): TensorLike {
  if (reduction === Reduction.SUM_OVER_BATCH_SIZE) return each.size;
  const repeats = factors.size === 0 ? 0 : each.size / factors.size;
  if (reduction === Reduction.MEAN) return mul(reduceSum(weights), repeats);
  const counted = binaryWith('notEqual', factors, 0);
  return scaled(summed(counted, counted.shape.map((_, d) => d), []), repeats); // prettier-ignore
}

function checkBroadcasts({ shape: weights }: Tensor, { shape: losses }: Tensor): void {
  const fits =
    weights.length === 0 ||
    (weights.length === losses.length && weights.every((size, d) => size === 1 || size === losses[d]));
  if (!fits) {
    throw new RangeError(
      `weights has shape ${showShape(weights)}, expected [] or the ${losses.length} dimensions of losses, ${showShape(losses)}, or 1 in their place`,
    );
  }
}
