import { BiasCorrectedOptimizer } from './bias-corrected';
import { decayRate, notNegative, optional, type Schedule } from '../schedules/schedule';
import type { Definition, OptimizerOptions } from './rule-optimizer';

export interface AdamHyperparameters {
  /** Default: 0.001. */
  learningRate?: Schedule;
  /** Decay of the mean of gradients. Default: 0.9. */
  beta1?: Schedule;
  /** Decay of the mean of squared gradients. Default: 0.999. */
  beta2?: Schedule;
  /** Added to the root, outside the bias correction ("epsilon hat" of the paper). Default: 1e-8. */
  epsilon?: Schedule;
}

export interface AdamOptions extends AdamHyperparameters, OptimizerOptions<AdamHyperparameters> {}

/** @internal Shared by the optimizers that have Adam's hyperparameters. */
export const adam: Definition<AdamHyperparameters> = {
  name: 'Adam',
  rule: 'adam',
  hyperparameters: {
    learningRate: optional(1e-3, notNegative),
    beta1: optional(0.9, decayRate),
    beta2: optional(0.999, decayRate),
    epsilon: optional(1e-8, notNegative),
  },
  sparseStepsAllRows: true,
};

/**
 * Adam: m ← m + (1 − β₁)(g − m), v ← v + (1 − β₂)(g² − v), w ← w − α m / (√v + ε),
 * with α = lr √(1 − β₂ᵗ) / (1 − β₁ᵗ).
 *
 * Slots `m` and `v`, from 0; `beta1_power` and `beta2_power` are shared by all variables and advance once a step.
 * A sparse gradient moves every row, as if it were dense; `LazyAdamOptimizer` moves only its rows.
 *
 * Source: `tf.train.AdamOptimizer`; Kingma & Ba 2015. PyTorch and optax add ε after the correction instead.
 * @example
 * const optimizer = new AdamOptimizer({ learningRate: 1e-3 });
 */
export class AdamOptimizer extends BiasCorrectedOptimizer<AdamHyperparameters> {
  /**
   * @throws TypeError or RangeError unless learningRate and epsilon are finite and not negative and the betas in [0, 1),
   * or functions.
   */
  constructor(options: AdamOptions = {}) {
    super(adam, options);
  }
}
