import { checkOptions } from '../checks';
import { checkSchedule, notNegative, valueOf, type Schedule } from './hyper';
import { Optimizer, type OptimizerOptions } from './optimizer';
import { ruleNamed } from './rules';

export interface GradientDescentOptions extends OptimizerOptions {
  learningRate: Schedule;
}

/**
 * Gradient descent: w ← w − lr g.
 *
 * No slots. A sparse gradient moves only its rows.
 *
 * Source: `tf.train.GradientDescentOptimizer`.
 * @example
 * const optimizer = new GradientDescentOptimizer({ learningRate: 0.1 });
 */
export class GradientDescentOptimizer extends Optimizer<GradientDescentOptions> {
  protected readonly rule = ruleNamed('gradientDescent');

  /** @throws TypeError or RangeError unless learningRate is finite and not negative, or a function. */
  constructor(options: GradientDescentOptions) {
    checkOptions('options', options);
    super('GradientDescent', options ?? {}, { ...options });
    checkSchedule('learningRate', this.options.learningRate, notNegative);
  }

  protected hyper({ learningRate }: GradientDescentOptions) {
    return { learningRate: valueOf('learningRate', learningRate, notNegative) };
  }
}
