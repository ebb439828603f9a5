import { notNegative, optional, positive, required, type Schedule } from '../schedules/schedule';
import { RuleOptimizer, type OptimizerOptions } from './rule-optimizer';

export interface AdagradHyperparameters {
  learningRate: Schedule;
  /** What the accumulator starts from; asked when it is made. Default: 0.1. */
  initialAccumulatorValue?: Schedule;
}

export interface AdagradOptions extends AdagradHyperparameters, OptimizerOptions<AdagradHyperparameters> {}

/**
 * Adagrad: a ← a + g², w ← w − lr g / √a. No epsilon: the accumulator starts above 0.
 *
 * Slot `accumulator` (a), from initialAccumulatorValue. A sparse gradient moves only its rows.
 *
 * Source: `tf.train.AdagradOptimizer`; Duchi, Hazan & Singer 2011.
 * @example
 * const optimizer = new AdagradOptimizer({ learningRate: 0.1 });
 */
export class AdagradOptimizer extends RuleOptimizer<AdagradHyperparameters> {
  /**
   * @throws TypeError or RangeError unless learningRate is finite and not negative and initialAccumulatorValue finite and
   * positive, or functions.
   */
  constructor(options: AdagradOptions) {
    super(
      {
        name: 'Adagrad',
        rule: 'adagrad',
        hyperparameters: {
          learningRate: required(notNegative),
          initialAccumulatorValue: optional(0.1, positive),
        },
        initialSlotValues: { accumulator: 'initialAccumulatorValue' },
      },
      options,
    );
  }
}
