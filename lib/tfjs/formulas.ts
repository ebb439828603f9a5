import { adam, type AdamHyperparameters } from '../optimizers/adam';
import { BiasCorrectedOptimizer } from '../optimizers/bias-corrected';
import { RuleOptimizer, type OptimizerOptions } from '../optimizers/rule-optimizer';
import { decayRate, fraction, notNegative, optional, positive, required } from '../schedules/schedule';
import type { AdadeltaHyperparameters } from '../optimizers/adadelta';
import type { AdagradHyperparameters } from '../optimizers/adagrad';
import { rmsProp, type RMSPropHyperparameters } from '../optimizers/rmsprop';
import type { Schedule } from '../schedules/schedule';
import type { Settings } from '../step/settings';

// The update rules as TensorFlow.js has them, where it has another formula than TensorFlow 1 or other defaults. Its epsilon
// is that of its backends for 32 bits.

const epsilon = optional(1e-7, notNegative);

/**
 * Adam as in its paper: epsilon is added after the correction, which is AdamW without a decay. The powers of the betas are
 * float32, which at β₂ = 0.999 shows in the fifth digit of the first steps.
 */
export class TfjsAdam extends BiasCorrectedOptimizer<AdamHyperparameters> {
  constructor(options: AdamHyperparameters & OptimizerOptions<AdamHyperparameters>) {
    const hyperparameters = { ...adam.hyperparameters, epsilon };
    super({ name: 'Adam', rule: 'adamW', hyperparameters }, options);
  }

  protected override rounded(value: number): number {
    return Math.fround(value);
  }
}

/** Those of Adamax as TensorFlow.js has it. */
export interface TfjsAdamaxHyperparameters extends AdamHyperparameters {
  /** The rate is divided by 1 + decay · iterations. Default: 0. */
  decay?: Schedule;
}

/** Adamax with a rate that decays. */
export class TfjsAdamax extends BiasCorrectedOptimizer<TfjsAdamaxHyperparameters> {
  private readonly rateAt = this.hyperAt('learningRate');

  constructor(
    options: TfjsAdamaxHyperparameters & OptimizerOptions<TfjsAdamaxHyperparameters>,
    private readonly iterations: () => number,
  ) {
    const hyperparameters = {
      learningRate: optional(2e-3, notNegative),
      beta1: optional(0.9, decayRate),
      beta2: optional(0.999, decayRate),
      epsilon,
      decay: optional(0, notNegative),
    };
    super({ name: 'Adamax', rule: 'adamax', hyperparameters }, options);
  }

  protected override derive(hyper: Float64Array, settings: Settings): void {
    super.derive(hyper, settings);
    hyper[this.rateAt]! /= 1 + settings.value('decay') * this.iterations();
  }

  protected override rounded(value: number): number {
    return Math.fround(value);
  }
}

/** Those of Adagrad as TensorFlow.js has it. */
export interface TfjsAdagradHyperparameters extends AdagradHyperparameters {
  /** Inside the root. Default: 1e-7. */
  epsilon?: Schedule;
}

/** Adagrad with an epsilon in the root. */
export class TfjsAdagrad extends RuleOptimizer<TfjsAdagradHyperparameters> {
  constructor(options: TfjsAdagradHyperparameters & OptimizerOptions<TfjsAdagradHyperparameters>) {
    const hyperparameters = {
      learningRate: required(notNegative),
      initialAccumulatorValue: optional(0.1, positive),
      epsilon,
    };
    const initialSlotValues = { accumulator: 'initialAccumulatorValue' } as const;
    super({ name: 'Adagrad', rule: 'tfjsAdagrad', hyperparameters, initialSlotValues }, options);
  }
}

/** Adadelta that divides by the mean of squares before the step. */
export class TfjsAdadelta extends RuleOptimizer<AdadeltaHyperparameters> {
  constructor(options: AdadeltaHyperparameters & OptimizerOptions<AdadeltaHyperparameters>) {
    const hyperparameters = {
      learningRate: optional(1e-3, notNegative),
      rho: optional(0.95, fraction),
      epsilon,
    };
    super({ name: 'Adadelta', rule: 'tfjsAdadelta', hyperparameters }, options);
  }
}

/**
 * RMSProp whose mean of squares starts from 0. Centered it *adds* epsilon to the variance, as TensorFlow 1 does and every
 * paper: TensorFlow.js subtracts it, which is NaN at the first step of any gradient below about 1e-3.
 */
export class TfjsRMSProp extends RuleOptimizer<RMSPropHyperparameters> {
  constructor(options: RMSPropHyperparameters & OptimizerOptions<RMSPropHyperparameters> & { centered?: boolean }) {
    const { centered, learningRate } = options as { centered?: boolean; learningRate?: Schedule | null };
    if (learningRate === undefined || learningRate === null) {
      throw new TypeError('learningRate for RMSPropOptimizer must be defined.'); // TensorFlow.js's words
    }
    super(rmsProp(centered, 1e-7), options);
  }
}
