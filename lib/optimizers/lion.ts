import { fraction, notNegative, optional, type Schedule } from '../schedules/schedule';
import { RuleOptimizer, type OptimizerOptions, type WeightDecayOptions } from './rule-optimizer';

export interface LionHyperparameters {
  /** Default: 0.0001. */
  learningRate?: Schedule;
  /** Decay of the mean of gradients as the step sees it. Default: 0.9. */
  beta1?: Schedule;
  /** Decay of the mean of gradients as it is kept. Default: 0.99. */
  beta2?: Schedule;
  /** λ; multiplied by the learning rate. Default: 0. */
  weightDecay?: Schedule;
}

export interface LionOptions extends LionHyperparameters, OptimizerOptions<LionHyperparameters>, WeightDecayOptions {}

/**
 * Lion: w ← w − lr (sign(β₁ m + (1 − β₁) g) + λ w), m ← β₂ m + (1 − β₂) g. sign(0) is 0.
 *
 * Slot `m`, from 0. A sparse gradient moves every row, as if it were dense.
 *
 * Source: Chen et al. 2023.
 * @example
 * const optimizer = new LionOptimizer({ learningRate: 1e-4, weightDecay: 0.1 });
 */
export class LionOptimizer extends RuleOptimizer<LionHyperparameters> {
  /**
   * @throws TypeError or RangeError unless learningRate and weightDecay are finite and not negative and the betas in
   * [0, 1], or functions.
   */
  constructor(options: LionOptions = {}) {
    super(
      {
        name: 'Lion',
        rule: 'lion',
        hyperparameters: {
          learningRate: optional(1e-4, notNegative),
          beta1: optional(0.9, fraction),
          beta2: optional(0.99, fraction),
          weightDecay: optional(0, notNegative),
        },
        sparseStepsAllRows: true,
      },
      options,
    );
  }
}
