import { notNegative, required, type Schedule } from '../schedules/schedule';
import { RuleOptimizer, type OptimizerOptions } from './rule-optimizer';

export interface GradientDescentHyperparameters {
  learningRate: Schedule;
}

export interface GradientDescentOptions
  extends GradientDescentHyperparameters, OptimizerOptions<GradientDescentHyperparameters> {}

/**
 * Gradient descent: w ← w − lr g.
 *
 * No slots. A sparse gradient moves only its rows.
 *
 * Source: `tf.train.GradientDescentOptimizer`.
 * @example
 * const optimizer = new GradientDescentOptimizer({ learningRate: 0.1 });
 */
export class GradientDescentOptimizer extends RuleOptimizer<GradientDescentHyperparameters> {
  /** @throws TypeError or RangeError unless learningRate is finite and not negative, or a function. */
  constructor(options: GradientDescentOptions) {
    super(
      { name: 'GradientDescent', rule: 'gradientDescent', hyperparameters: { learningRate: required(notNegative) } },
      options,
    );
  }
}
