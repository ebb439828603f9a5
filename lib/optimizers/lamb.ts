import { adam } from './adam';
import { BiasCorrectedOptimizer } from './bias-corrected';
import { notNegative, optional, type Schedule } from '../schedules/schedule';
import type { OptimizerOptions, WeightDecayOptions } from './rule-optimizer';

export interface LambHyperparameters {
  /** Default: 0.001. */
  learningRate?: Schedule;
  /** Decay of the mean of gradients. Default: 0.9. */
  beta1?: Schedule;
  /** Decay of the mean of squared gradients. Default: 0.999. */
  beta2?: Schedule;
  /** Added to the corrected root. Default: 1e-6. */
  epsilon?: Schedule;
  /** λ. Default: 0. */
  weightDecay?: Schedule;
}

export interface LambOptions extends LambHyperparameters, OptimizerOptions<LambHyperparameters>, WeightDecayOptions {}

/**
 * LAMB, for large batches: m and v as in Adam, u = m̂ / (√v̂ + ε) + λ w, w ← w − lr ‖w‖ / ‖u‖ u, with
 * m̂ = m / (1 − β₁ᵗ), v̂ = v / (1 − β₂ᵗ) and norms over the whole variable; the ratio is 1 where either of them is 0.
 *
 * Slots `m` and `v`, from 0; `beta1_power` and `beta2_power` as in Adam. A sparse gradient is made dense.
 *
 * Source: You et al. 2020, with φ(z) = z.
 * @example
 * const optimizer = new LambOptimizer({ weightDecay: 0.01, excludeFromWeightDecay: (name) => name.endsWith('/bias') });
 */
export class LambOptimizer extends BiasCorrectedOptimizer<LambHyperparameters> {
  /** @throws what AdamWOptimizer throws. */
  constructor(options: LambOptions = {}) {
    const hyperparameters = {
      ...adam.hyperparameters,
      epsilon: optional(1e-6, notNegative),
      weightDecay: optional(0, notNegative),
    };
    super({ name: 'Lamb', rule: 'lamb', hyperparameters, sparseStepsAllRows: true }, options);
  }
}
