import type { TensorLike } from '../autodiff/tape';
import { checkNumber } from '../checks';
import { checkOptions, type NamesOf } from '../options';
import { clip, div, log, mul, reduceSum } from '../ops';
import type { Tensor } from '../tensor/tensor';
import { alike } from './inputs';
import { computeWeightedLoss, type LossOptions } from './weighted';

export interface KlDivergenceOptions extends LossOptions {
  /** The dimension of the distributions; a negative one counts from the end. Default: -1, the last. */
  axis?: number;
  /** The least probability. Default: 1e-7. */
  epsilon?: number;
}

const klNames: NamesOf<KlDivergenceOptions> = { weights: true, reduction: true, axis: true, epsilon: true };

/**
 * The Kullback-Leibler divergence Σ labels ln(labels / predictions) along a dimension, of distributions whose probabilities are
 * brought into [epsilon, 1] first; weighted and reduced.
 *
 * @param predictions of the shape of labels; the loss before it is reduced has it without that dimension.
 *
 * @returns a tensor without dimensions; with `Reduction.NONE` one of the shape that is said above.
 * @throws TypeError for arguments of a wrong kind or of different dtypes, RangeError for different shapes, an axis that
 * there is not, weights that do not broadcast or another reduction.
 * Source: `tf.keras.losses.KLDivergence`.
 */
export function klDivergence(labels: TensorLike, predictions: TensorLike, options: KlDivergenceOptions = {}): Tensor {
  checkOptions('options', options, klNames);
  const { axis = -1, epsilon = 1e-7, ...rest } = options;
  checkNumber('axis', axis);
  checkNumber('epsilon', epsilon);
  const [z, y] = alike('labels', labels, 'predictions', predictions);
  const [p, q] = [clip(z, epsilon, 1), clip(y, epsilon, 1)];
  return computeWeightedLoss(reduceSum(mul(p, log(div(p, q))), axis), rest);
}
