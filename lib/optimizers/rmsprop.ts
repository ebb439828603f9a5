import { checkBoolean } from '../checks';
import { finite, fraction, notNegative, optional, required, type Schedule } from '../schedules/schedule';
import { RuleOptimizer, type Definition, type OptimizerOptions } from './rule-optimizer';

export interface RMSPropHyperparameters {
  learningRate: Schedule;
  /** ρ, the decay of the means. Default: 0.9. */
  decay?: Schedule;
  /** μ. Default: 0. */
  momentum?: Schedule;
  /** Inside the root. Default: 1e-10. */
  epsilon?: Schedule;
}

export interface RMSPropOptions extends RMSPropHyperparameters, OptimizerOptions<RMSPropHyperparameters> {
  /** Divides by the deviation of the gradients from their mean, not by their root mean square. Default: false. */
  centered?: boolean;
}

/** @internal Shared by the forms of it, whose slots start from 0. @throws TypeError for a `centered` that is no boolean. */
export function rmsProp(centered = false, epsilon: number): Definition<RMSPropHyperparameters> {
  checkBoolean('centered', centered);
  return {
    name: 'RMSProp',
    rule: centered ? 'centeredRMSProp' : 'rmsProp',
    ownOptions: { centered: true },
    hyperparameters: {
      learningRate: required(notNegative),
      decay: optional(0.9, fraction),
      momentum: optional(0, finite),
      epsilon: optional(epsilon, notNegative),
    },
  };
}

/**
 * RMSProp: r ← ρ r + (1 − ρ) g², a ← μ a + lr g / √(r + ε), w ← w − a.
 * Centered: c ← ρ c + (1 − ρ) g as well, and √(r − c² + ε).
 *
 * Slots `rms` (r), from 1, `momentum` (a), from 0, and centered `mg` (c), from 0. A sparse gradient moves only its rows.
 *
 * Source: `tf.train.RMSPropOptimizer`; Tieleman & Hinton 2012, Graves 2013 (centered).
 * @example
 * const optimizer = new RMSPropOptimizer({ learningRate: 1e-3, momentum: 0.9 });
 */
export class RMSPropOptimizer extends RuleOptimizer<RMSPropHyperparameters> {
  /**
   * @throws TypeError or RangeError unless learningRate and epsilon are finite and not negative, decay in [0, 1] and
   * momentum finite, or functions.
   */
  constructor(options: RMSPropOptions) {
    super({ ...rmsProp(options?.centered, 1e-10), initialSlotValues: { rms: 1 } }, options);
  }
}
