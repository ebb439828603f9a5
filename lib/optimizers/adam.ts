import { checkOptions } from '../checks';
import { BetaPowers } from './beta-powers';
import { checkSchedule, decayRate, notNegative, valueOf, type Schedule } from './hyper';
import { Optimizer, type OptimizerOptions } from './optimizer';
import { ruleNamed } from './rules';

export interface AdamOptions extends OptimizerOptions {
  /** Default: 0.001. */
  learningRate?: Schedule;
  /** Decay of the mean of gradients. Default: 0.9. */
  beta1?: Schedule;
  /** Decay of the mean of squared gradients. Default: 0.999. */
  beta2?: Schedule;
  /** Added to the root, outside the bias correction ("epsilon hat" of the paper). Default: 1e-8. */
  epsilon?: Schedule;
}

/**
 * Adam: m ← m + (1 − β₁)(g − m), v ← v + (1 − β₂)(g² − v), w ← w − α m / (√v + ε),
 * with α = lr √(1 − β₂ᵗ) / (1 − β₁ᵗ).
 *
 * Slots `m` and `v`, from 0; `beta1_power` and `beta2_power` are shared by all variables and advance once a step.
 * A sparse gradient moves every row, as if it were dense; `LazyAdamOptimizer` moves only its rows.
 *
 * Source: `tf.train.AdamOptimizer`; Kingma & Ba 2015. PyTorch and Keras add ε before the correction instead.
 * @example
 * const optimizer = new AdamOptimizer({ learningRate: 1e-3 });
 */
export class AdamOptimizer extends Optimizer<Required<AdamOptions>> {
  protected readonly rule = ruleNamed('adam');
  protected override readonly sparseStepsAllRows: boolean = true;
  private readonly powers = new BetaPowers();

  /**
   * @throws TypeError or RangeError unless learningRate and epsilon are finite and not negative and the betas in [0, 1),
   * or functions.
   */
  constructor(options: AdamOptions = {}) {
    checkOptions('options', options);
    const { learningRate = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = options;
    const { name = 'Adam', useLocking = false } = options;
    super('Adam', { name, useLocking }, { learningRate, beta1, beta2, epsilon, name, useLocking });
    checkSchedule('learningRate', learningRate, notNegative);
    checkSchedule('beta1', beta1, decayRate);
    checkSchedule('beta2', beta2, decayRate);
    checkSchedule('epsilon', epsilon, notNegative);
  }

  protected hyper(options: Required<AdamOptions>) {
    const learningRate = valueOf('learningRate', options.learningRate, notNegative);
    const epsilon = valueOf('epsilon', options.epsilon, notNegative);
    const beta1 = valueOf('beta1', options.beta1, decayRate);
    const beta2 = valueOf('beta2', options.beta2, decayRate);
    const { beta1Power, beta2Power } = this.powers.before(options, beta1, beta2);
    return { learningRate, beta1, beta2, epsilon, beta1Power, beta2Power };
  }

  protected override nonSlotVariables() {
    return this.powers.variables();
  }

  protected override finish(options: Required<AdamOptions>): void {
    this.powers.advance(options);
  }
}
