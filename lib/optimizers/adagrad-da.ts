import { shown } from '../checks';
import { GlobalStep } from '../tensor/global-step';
import { finite, notNegative, optional, positive, required, type Schedule } from '../schedules/schedule';
import { RuleOptimizer, type OptimizerOptions } from './rule-optimizer';
import type { Key } from '../step/turns';

export interface AdagradDAHyperparameters {
  learningRate: Schedule;
  /** What the sum of squared gradients starts from; asked when it is made. Default: 0.1. */
  initialGradientSquaredAccumulatorValue?: Schedule;
  /** 0 or less is none. Default: 0. */
  l1RegularizationStrength?: Schedule;
  /** Default: 0. */
  l2RegularizationStrength?: Schedule;
}

export interface AdagradDAOptions extends AdagradDAHyperparameters, OptimizerOptions<AdagradDAHyperparameters> {
  /** Counts the steps. It is only read here: give it to `minimize` or `applyGradients` too. */
  globalStep: GlobalStep;
}

/**
 * Adagrad with dual averaging, for sparse linear models: G ← G + g, Q ← Q + g²,
 * w ← −lr sign(G) max(|G| − T l1, 0) / (l2 T lr + √Q), with T = globalStep + 1.
 *
 * What w was before does not enter: the first step leaves any starting point behind.
 *
 * Slots `gradient_accumulator` (G), from 0, and `gradient_squared_accumulator` (Q), from
 * initialGradientSquaredAccumulatorValue. A sparse gradient moves only its rows.
 *
 * Source: `tf.train.AdagradDAOptimizer`; Duchi, Hazan & Singer 2011.
 * @example
 * const globalStep = createGlobalStep();
 * const optimizer = new AdagradDAOptimizer({ learningRate: 0.1, globalStep });
 * optimizer.minimize(loss, { globalStep });
 */
export class AdagradDAOptimizer extends RuleOptimizer<AdagradDAHyperparameters> {
  private readonly globalStep: GlobalStep;
  private readonly stepAt = this.hyperAt('step');

  /**
   * @throws TypeError or RangeError unless globalStep is a GlobalStep, learningRate finite and not negative,
   * initialGradientSquaredAccumulatorValue finite and positive, the strengths finite, or functions.
   */
  constructor(options: AdagradDAOptions) {
    super(
      {
        name: 'AdagradDA',
        rule: 'adagradDA',
        ownOptions: { globalStep: true },
        hyperparameters: {
          learningRate: required(notNegative),
          initialGradientSquaredAccumulatorValue: optional(0.1, positive),
          l1RegularizationStrength: optional(0, finite),
          l2RegularizationStrength: optional(0, finite),
        },
        initialSlotValues: { gradient_squared_accumulator: 'initialGradientSquaredAccumulatorValue' },
      },
      options,
    );
    const globalStep: unknown = options?.globalStep;
    if (!(globalStep instanceof GlobalStep)) {
      throw new TypeError(`globalStep must be a GlobalStep, got ${shown(globalStep)}`);
    }
    this.globalStep = globalStep;
  }

  /** @internal */
  override turnKeys(): Key[] {
    return [...super.turnKeys(), this.globalStep.buffer];
  }

  protected override derive(hyper: Float64Array): void {
    hyper[this.stepAt] = this.globalStep.value + 1;
  }
}
