import type { TensorLike } from '../autodiff/tape';
import { checkNumber } from '../checks';
import { checkOptions, type NamesOf } from '../options';
import { add, log, mul, neg, sub } from '../ops';
import type { Tensor } from '../tensor/tensor';
import { alike } from './inputs';
import { computeWeightedLoss, type LossOptions } from './weighted';

export interface LogLossOptions extends LossOptions {
  /** What keeps the logarithm of 0 away. Default: 1e-7. */
  epsilon?: number;
}

const logLossNames: NamesOf<LogLossOptions> = { weights: true, reduction: true, epsilon: true };

/**
 * -labels ln(predictions + epsilon) - (1 - labels) ln(1 - predictions + epsilon), element by element, weighted and reduced.
 *
 * @param labels probabilities, 0 or 1 as a rule.
 * @param predictions probabilities, of the shape of labels, as is the loss before it is reduced.
 *
 * @returns a tensor without dimensions; with `Reduction.NONE` one of the shape that is said above.
 * @throws TypeError for arguments of a wrong kind or of different dtypes, RangeError for different shapes, weights that do not
 * broadcast or another reduction.
 * Source: `tf.losses.log_loss`.
 */
export function logLoss(labels: TensorLike, predictions: TensorLike, options: LogLossOptions = {}): Tensor {
  checkOptions('options', options, logLossNames);
  const { epsilon = 1e-7, ...rest } = options;
  checkNumber('epsilon', epsilon);
  const [z, y] = alike('labels', labels, 'predictions', predictions);
  const ofOne = neg(mul(z, log(add(y, epsilon))));
  return computeWeightedLoss(sub(ofOne, mul(sub(1, z), log(add(sub(1, y), epsilon)))), rest);
}
