import { checkBoolean, checkOptions } from '../checks';
import { finite, notNegative, required, type Schedule } from '../schedules/schedule';
import { RuleOptimizer, type OptimizerOptions } from './rule-optimizer';

export interface MomentumHyperparameters {
  learningRate: Schedule;
  /** μ, the share of the accumulator that is kept. */
  momentum: Schedule;
}

export interface MomentumOptions extends MomentumHyperparameters, OptimizerOptions<MomentumHyperparameters> {
  /** Default: false. */
  useNesterov?: boolean;
}

/**
 * Momentum: a ← μ a + g, then w ← w − lr a, or with `useNesterov` w ← w − lr (g + μ a).
 *
 * Slot `momentum` (a), from 0. A sparse gradient moves only its rows; the accumulators of others do not decay.
 *
 * Source: `tf.train.MomentumOptimizer`; Polyak 1964, Sutskever et al. 2013 (Nesterov's, with gradients taken at the
 * stored variable).
 * @example
 * const optimizer = new MomentumOptimizer({ learningRate: 0.1, momentum: 0.9, useNesterov: true });
 */
export class MomentumOptimizer extends RuleOptimizer<MomentumHyperparameters> {
  /** @throws TypeError or RangeError unless learningRate is finite and not negative and momentum finite, or functions. */
  constructor(options: MomentumOptions) {
    checkOptions('options', options);
    const { useNesterov = false } = options ?? {};
    checkBoolean('useNesterov', useNesterov);
    super(
      {
        name: 'Momentum',
        rule: useNesterov ? 'nesterovMomentum' : 'momentum',
        hyperparameters: { learningRate: required(notNegative), momentum: required(finite) },
      },
      options,
    );
  }
}
