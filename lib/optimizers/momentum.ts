import { checkBoolean, checkOptions } from '../checks';
import { checkSchedule, finite, notNegative, valueOf, type Schedule } from './hyper';
import { Optimizer, type OptimizerOptions } from './optimizer';
import { ruleNamed } from './rules';

export interface MomentumOptions extends OptimizerOptions {
  learningRate: Schedule;
  /** μ, the share of the accumulator that is kept. */
  momentum: Schedule;
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
export class MomentumOptimizer extends Optimizer<MomentumOptions> {
  protected readonly rule;

  /** @throws TypeError or RangeError unless learningRate is finite and not negative and momentum finite, or functions. */
  constructor(options: MomentumOptions) {
    checkOptions('options', options);
    super('Momentum', options ?? {}, { ...options });
    const { learningRate, momentum, useNesterov = false } = this.options;
    checkSchedule('learningRate', learningRate, notNegative);
    checkSchedule('momentum', momentum, finite);
    checkBoolean('useNesterov', useNesterov);
    this.rule = ruleNamed(useNesterov ? 'nesterovMomentum' : 'momentum');
  }

  protected hyper({ learningRate, momentum }: MomentumOptions) {
    return {
      learningRate: valueOf('learningRate', learningRate, notNegative),
      momentum: valueOf('momentum', momentum, finite),
    };
  }
}
