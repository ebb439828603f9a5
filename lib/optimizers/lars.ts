import { checkBoolean, checkOptions } from '../checks';
import { finite, notNegative, optional, required, type Schedule } from '../schedules/schedule';
import { RuleOptimizer, type OptimizerOptions, type WeightDecayOptions } from './rule-optimizer';

export interface LarsHyperparameters {
  learningRate: Schedule;
  /** μ. Default: 0.9. */
  momentum?: Schedule;
  /** λ; part of the gradient, so that momentum sees it. Default: 0.0001. */
  weightDecay?: Schedule;
  /** η: the part of a variable's norm that a step may be long at lr = 1. Default: 0.001. */
  trustCoefficient?: Schedule;
  /** Added to the divisor of the trust ratio. Default: 0. */
  epsilon?: Schedule;
}

export interface LarsOptions extends LarsHyperparameters, OptimizerOptions<LarsHyperparameters>, WeightDecayOptions {
  /** Default: false. */
  useNesterov?: boolean;
}

/**
 * LARS, for large batches: e = lr η ‖w‖ / (‖g‖ + λ ‖w‖ + ε), v ← μ v + e (g + λ w), then w ← w − v, or with
 * `useNesterov` w ← w − (μ v + e (g + λ w)). Norms are over the whole variable; e = lr where either is 0.
 *
 * Slot `momentum` (v), from 0. A sparse gradient is made dense.
 *
 * Source: You, Gitman & Ginsburg 2017: the rate is folded into the velocity (elsewhere it is often applied outside).
 * @example
 * const optimizer = new LarsOptimizer({ learningRate: 2, excludeFromWeightDecay: (name) => name.endsWith('/bias') });
 */
export class LarsOptimizer extends RuleOptimizer<LarsHyperparameters> {
  /** @throws TypeError or RangeError unless momentum is finite and all else finite and not negative, or functions. */
  constructor(options: LarsOptions) {
    checkOptions('options', options);
    const { useNesterov = false } = options ?? {};
    checkBoolean('useNesterov', useNesterov);
    super(
      {
        name: 'Lars',
        rule: useNesterov ? 'nesterovLars' : 'lars',
        hyperparameters: {
          learningRate: required(notNegative),
          momentum: optional(0.9, finite),
          weightDecay: optional(1e-4, notNegative),
          trustCoefficient: optional(1e-3, notNegative),
          epsilon: optional(0, notNegative),
        },
        sparseStepsAllRows: true,
      },
      options,
    );
  }
}
