import { fraction, notNegative, optional, type Schedule } from '../schedules/schedule';
import { RuleOptimizer, type OptimizerOptions } from './rule-optimizer';

export interface AdadeltaHyperparameters {
  /** 1 is the paper's form. Default: 0.001. */
  learningRate?: Schedule;
  /** ρ, the decay of both means. Default: 0.95. */
  rho?: Schedule;
  /** Keeps the first steps above 0. Default: 1e-8. */
  epsilon?: Schedule;
}

export interface AdadeltaOptions extends AdadeltaHyperparameters, OptimizerOptions<AdadeltaHyperparameters> {}

/**
 * Adadelta: a ← ρ a + (1 − ρ) g², u = g √(d + ε) / √(a + ε), w ← w − lr u, d ← ρ d + (1 − ρ) u².
 *
 * Slots `accum` (a) and `accum_update` (d), from 0. A sparse gradient moves only its rows.
 *
 * Source: `tf.train.AdadeltaOptimizer`; Zeiler 2012.
 * @example
 * const optimizer = new AdadeltaOptimizer({ learningRate: 1 });
 */
export class AdadeltaOptimizer extends RuleOptimizer<AdadeltaHyperparameters> {
  /**
   * @throws TypeError or RangeError unless learningRate and epsilon are finite and not negative and rho in [0, 1], or
   * functions.
   */
  constructor(options: AdadeltaOptions = {}) {
    super(
      {
        name: 'Adadelta',
        rule: 'adadelta',
        hyperparameters: {
          learningRate: optional(1e-3, notNegative),
          rho: optional(0.95, fraction),
          epsilon: optional(1e-8, notNegative),
        },
      },
      options,
    );
  }
}
