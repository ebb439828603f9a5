import { checkOptions, shown } from '../checks';
import { finite, notNegative, notPositive, optional, positive, required, type Schedule } from '../schedules/schedule';
import { RuleOptimizer, type OptimizerOptions } from './rule-optimizer';

export interface FtrlHyperparameters {
  learningRate: Schedule;
  /** −p: how fast the rate falls with the sum of squared gradients; 0 keeps it. Default: −0.5. */
  learningRatePower?: Schedule;
  /** What the accumulator starts from; asked when it is made. Default: 0.1. */
  initialAccumulatorValue?: Schedule;
  /** l1. Default: 0. */
  l1RegularizationStrength?: Schedule;
  /** l2. Default: 0. */
  l2RegularizationStrength?: Schedule;
  /** An L2 penalty that acts on the gradient, and not on the accumulator. Default: 0. */
  l2ShrinkageRegularizationStrength?: Schedule;
  /** The paper's β. Default: 0. */
  beta?: Schedule;
}

export interface FtrlOptions extends FtrlHyperparameters, OptimizerOptions<FtrlHyperparameters> {
  /** Names the slots `accum`. Default: the optimizer's name. */
  accumName?: string;
  /** Names the slots `linear`. Default: the optimizer's name. */
  linearName?: string;
}

/**
 * FTRL-Proximal, for sparse linear models: n′ = n + g², z ← z + g + 2 shrinkage w − (n′ᵖ − nᵖ) / lr w,
 * w ← 0 where |z| ≤ l1 and else (sign(z) l1 − z) / ((n′ᵖ + β) / lr + 2 l2), n ← n′.
 *
 * Slots `accum` (n), from initialAccumulatorValue, and `linear` (z), from 0. A sparse gradient moves only its rows.
 * Where z is NaN so is w.
 *
 * Source: `tf.train.FtrlOptimizer`; McMahan et al. 2013.
 * @example
 * const optimizer = new FtrlOptimizer({ learningRate: 0.1, l1RegularizationStrength: 1e-3 });
 */
export class FtrlOptimizer extends RuleOptimizer<FtrlHyperparameters> {
  /**
   * @throws TypeError or RangeError unless learningRate is finite and positive, learningRatePower finite and not
   * positive, beta finite, everything else finite and not negative, or functions.
   */
  constructor(options: FtrlOptions) {
    checkOptions('options', options);
    const { accumName, linearName } = options ?? {};
    checkName('accumName', accumName);
    checkName('linearName', linearName);
    super(
      {
        name: 'Ftrl',
        rule: 'ftrl',
        hyperparameters: {
          learningRate: required(positive),
          learningRatePower: optional(-0.5, notPositive),
          initialAccumulatorValue: optional(0.1, notNegative),
          l1RegularizationStrength: optional(0, notNegative),
          l2RegularizationStrength: optional(0, notNegative),
          l2ShrinkageRegularizationStrength: optional(0, notNegative),
          beta: optional(0, finite),
        },
        initialSlotValues: { accum: 'initialAccumulatorValue' },
        slotOwners: { accum: accumName, linear: linearName },
      },
      options,
    );
  }
}

function checkName(option: string, name: unknown): void {
  if (name === undefined) return;
  if (typeof name !== 'string') throw new TypeError(`${option} must be a string, got ${shown(name)}`);
  if (name === '') throw new RangeError(`${option} must not be empty`);
}
