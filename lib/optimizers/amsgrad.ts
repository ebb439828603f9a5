import { adam, type AdamHyperparameters, type AdamOptions } from './adam';
import { BiasCorrectedOptimizer } from './bias-corrected';

/**
 * AMSGrad: Adam whose steps never grow again where v shrinks: m and v as in Adam, v̂ ← max(v̂, v),
 * w ← w − α m / (√v̂ + ε), with α = lr √(1 − β₂ᵗ) / (1 − β₁ᵗ).
 *
 * Slots `m`, `v` and `vhat`, from 0; `beta1_power` and `beta2_power` as in Adam. A sparse gradient moves every row.
 *
 * Source: Reddi, Kale & Kumar 2018, with Adam's bias correction as `tf.keras.optimizers.Adam(amsgrad=True)` has it: the
 * maximum is of the uncorrected v, and ε is outside the correction.
 * @example
 * const optimizer = new AMSGradOptimizer({ learningRate: 1e-3 });
 */
export class AMSGradOptimizer extends BiasCorrectedOptimizer<AdamHyperparameters> {
  /** @throws what AdamOptimizer throws. */
  constructor(options: AdamOptions = {}) {
    super({ ...adam, name: 'AMSGrad', rule: 'amsGrad' }, options);
  }
}
