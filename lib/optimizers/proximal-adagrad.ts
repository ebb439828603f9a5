import { finite, notNegative, optional, positive, required, type Schedule } from '../schedules/schedule';
import { RuleOptimizer, type OptimizerOptions } from './rule-optimizer';

export interface ProximalAdagradHyperparameters {
  learningRate: Schedule;
  /** What the accumulator starts from; asked when it is made. Default: 0.1. */
  initialAccumulatorValue?: Schedule;
  /** 0 or less is none. Default: 0. */
  l1RegularizationStrength?: Schedule;
  /** Default: 0. */
  l2RegularizationStrength?: Schedule;
}

export interface ProximalAdagradOptions
  extends ProximalAdagradHyperparameters, OptimizerOptions<ProximalAdagradHyperparameters> {}

/**
 * Proximal Adagrad: a ← a + g², e = lr / √a, p = w − e g, w ← sign(p) max(|p| − e l1, 0) / (1 + e l2).
 *
 * Slot `accumulator` (a), from initialAccumulatorValue. A sparse gradient moves only its rows.
 *
 * Source: `tf.train.ProximalAdagradOptimizer`; Duchi & Singer 2009, Duchi, Hazan & Singer 2011.
 * @example
 * const optimizer = new ProximalAdagradOptimizer({ learningRate: 0.1, l1RegularizationStrength: 1e-3 });
 */
export class ProximalAdagradOptimizer extends RuleOptimizer<ProximalAdagradHyperparameters> {
  /**
   * @throws TypeError or RangeError unless learningRate is finite and not negative, initialAccumulatorValue finite and
   * positive, the strengths finite, or functions.
   */
  constructor(options: ProximalAdagradOptions) {
    super(
      {
        name: 'ProximalAdagrad',
        rule: 'proximalAdagrad',
        hyperparameters: {
          learningRate: required(notNegative),
          initialAccumulatorValue: optional(0.1, positive),
          l1RegularizationStrength: optional(0, finite),
          l2RegularizationStrength: optional(0, finite),
        },
        initialSlotValues: { accumulator: 'initialAccumulatorValue' },
      },
      options,
    );
  }
}
