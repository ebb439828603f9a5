import { adam } from './adam';
import { BiasCorrectedOptimizer } from './bias-corrected';
import { notNegative, optional, type Schedule } from '../schedules/schedule';
import type { OptimizerOptions, WeightDecayOptions } from './rule-optimizer';

export interface AdamWHyperparameters {
  /** Default: 0.001. */
  learningRate?: Schedule;
  /** Decay of the mean of gradients. Default: 0.9. */
  beta1?: Schedule;
  /** Decay of the mean of squared gradients. Default: 0.999. */
  beta2?: Schedule;
  /** Added to the corrected root. Default: 1e-8. */
  epsilon?: Schedule;
  /** λ; multiplied by the learning rate, as in PyTorch and optax. Default: 0.01. */
  weightDecay?: Schedule;
}

export interface AdamWOptions
  extends AdamWHyperparameters, OptimizerOptions<AdamWHyperparameters>, WeightDecayOptions {}

/**
 * AdamW: m ← m + (1 − β₁)(g − m), v ← v + (1 − β₂)(g² − v), w ← w − lr (m̂ / (√v̂ + ε) + λ w),
 * with m̂ = m / (1 − β₁ᵗ) and v̂ = v / (1 − β₂ᵗ).
 *
 * Slots `m` and `v`, from 0; `beta1_power` and `beta2_power` as in Adam. A sparse gradient moves every row.
 *
 * Source: Loshchilov & Hutter 2019, whose schedule η is part of lr here.
 * @example
 * const optimizer = new AdamWOptimizer({ weightDecay: 0.05, excludeFromWeightDecay: (name) => name.endsWith('/bias') });
 */
export class AdamWOptimizer extends BiasCorrectedOptimizer<AdamWHyperparameters> {
  /**
   * @throws TypeError or RangeError unless learningRate, epsilon and weightDecay are finite and not negative and the
   * betas in [0, 1), or functions.
   */
  constructor(options: AdamWOptions = {}) {
    const hyperparameters = { ...adam.hyperparameters, weightDecay: optional(0.01, notNegative) };
    super({ name: 'AdamW', rule: 'adamW', hyperparameters, sparseStepsAllRows: true }, options);
  }
}
