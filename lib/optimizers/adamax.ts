import { BiasCorrectedOptimizer } from './bias-corrected';
import { decayRate, notNegative, optional, type Schedule } from '../schedules/schedule';
import type { OptimizerOptions } from './rule-optimizer';

export interface AdamaxHyperparameters {
  /** Default: 0.002. */
  learningRate?: Schedule;
  /** Decay of the mean of gradients. Default: 0.9. */
  beta1?: Schedule;
  /** Decay of the largest gradient. Default: 0.999. */
  beta2?: Schedule;
  /** Added to u, where the paper has none. Default: 1e-8. */
  epsilon?: Schedule;
}

export interface AdamaxOptions extends AdamaxHyperparameters, OptimizerOptions<AdamaxHyperparameters> {}

/**
 * Adamax: m ← m + (1 − β₁)(g − m), u ← max(β₂ u, |g|), w ← w − lr / (1 − β₁ᵗ) · m / (u + ε).
 *
 * Slots `m` and `u`, from 0; `beta1_power` is shared by all variables. A sparse gradient moves every row.
 *
 * Source: Kingma & Ba 2015, section 7; ε as in Keras.
 * @example
 * const optimizer = new AdamaxOptimizer({ learningRate: 2e-3 });
 */
export class AdamaxOptimizer extends BiasCorrectedOptimizer<AdamaxHyperparameters> {
  /** @throws what AdamOptimizer throws. */
  constructor(options: AdamaxOptions = {}) {
    super(
      {
        name: 'Adamax',
        rule: 'adamax',
        hyperparameters: {
          learningRate: optional(2e-3, notNegative),
          beta1: optional(0.9, decayRate),
          beta2: optional(0.999, decayRate),
          epsilon: optional(1e-8, notNegative),
        },
        sparseStepsAllRows: true,
      },
      options,
    );
  }
}
