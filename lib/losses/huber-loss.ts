import type { TensorLike } from '../autodiff/tape';
import { checkNumber } from '../checks';
import { checkOptions, type NamesOf } from '../options';
import { abs, add, minimum, mul, sub } from '../ops';
import type { Tensor } from '../tensor/tensor';
import { alike } from './inputs';
import { computeWeightedLoss, type LossOptions } from './weighted';

export interface HuberLossOptions extends LossOptions {
  /** Where the loss goes on as a line. Default: 1. */
  delta?: number;
}

const huberNames: NamesOf<HuberLossOptions> = { weights: true, reduction: true, delta: true };

/**
 * With e = |predictions - labels| and d = delta, e² / 2 where e <= d, else d² / 2 + d (e - d), element by element, weighted and
 * reduced.
 *
 * @param predictions of the shape of labels, as is the loss before it is reduced.
 *
 * @returns a tensor without dimensions; with `Reduction.NONE` one of the shape that is said above.
 * @throws TypeError for arguments of a wrong kind or of different dtypes, RangeError for different shapes, weights that do not
 * broadcast or another reduction.
 * Source: `tf.losses.huber_loss`.
 */
export function huberLoss(labels: TensorLike, predictions: TensorLike, options: HuberLossOptions = {}): Tensor {
  checkOptions('options', options, huberNames);
  const { delta = 1, ...rest } = options;
  checkNumber('delta', delta);
  const [z, y] = alike('labels', labels, 'predictions', predictions);
  const error = abs(sub(y, z));
  const quadratic = minimum(error, delta);
  const linear = sub(error, quadratic); // of which the gradient is 0 where error = delta
  return computeWeightedLoss(add(mul(mul(quadratic, quadratic), 0.5), mul(linear, delta)), rest);
}
