import { finite, notNegative, optional, required, type Schedule } from '../schedules/schedule';
import { RuleOptimizer, type OptimizerOptions } from './rule-optimizer';

export interface ProximalGradientDescentHyperparameters {
  learningRate: Schedule;
  /** 0 or less is none. Default: 0. */
  l1RegularizationStrength?: Schedule;
  /** Default: 0. */
  l2RegularizationStrength?: Schedule;
}

export interface ProximalGradientDescentOptions
  extends ProximalGradientDescentHyperparameters, OptimizerOptions<ProximalGradientDescentHyperparameters> {}

/**
 * Proximal gradient descent: p = w − lr g, w ← sign(p) max(|p| − lr l1, 0) / (1 + lr l2).
 *
 * No slots. A sparse gradient moves only its rows.
 *
 * Source: `tf.train.ProximalGradientDescentOptimizer`; Duchi & Singer 2009.
 * @example
 * const optimizer = new ProximalGradientDescentOptimizer({ learningRate: 0.1, l1RegularizationStrength: 1e-3 });
 */
export class ProximalGradientDescentOptimizer extends RuleOptimizer<ProximalGradientDescentHyperparameters> {
  /** @throws TypeError or RangeError unless learningRate is finite and not negative, the strengths finite, or functions. */
  constructor(options: ProximalGradientDescentOptions) {
    super(
      {
        name: 'ProximalGradientDescent',
        rule: 'proximalGradientDescent',
        hyperparameters: {
          learningRate: required(notNegative),
          l1RegularizationStrength: optional(0, finite),
          l2RegularizationStrength: optional(0, finite),
        },
      },
      options,
    );
  }
}
