import type { AdadeltaHyperparameters } from '../optimizers/adadelta';
import type { AdagradDAHyperparameters } from '../optimizers/adagrad-da';
import type { AdamHyperparameters } from '../optimizers/adam';
import type { AdamWHyperparameters } from '../optimizers/adamw';
import type { FtrlHyperparameters } from '../optimizers/ftrl';
import type { GradientDescentHyperparameters } from '../optimizers/gradient-descent';
import type { LambHyperparameters } from '../optimizers/lamb';
import type { LarsHyperparameters } from '../optimizers/lars';
import type { LionHyperparameters } from '../optimizers/lion';
import type { MomentumHyperparameters } from '../optimizers/momentum';
import type { NadamHyperparameters } from '../optimizers/nadam';
import type { ProximalAdagradHyperparameters } from '../optimizers/proximal-adagrad';
import type { ProximalGradientDescentHyperparameters } from '../optimizers/proximal-gradient-descent';
import type { RMSPropHyperparameters } from '../optimizers/rmsprop';
import type { WeightDecayOptions } from '../optimizers/rule-optimizer';
import { checkOptions } from '../options';
import { shown } from '../checks';
import type { TfVariable } from './engine';
import type { TfjsAdagradHyperparameters, TfjsAdamaxHyperparameters } from './formulas';
import { kinds, pairs, type Pair } from './kinds';
import { TfjsOptimizer, type CommonOptions, type Kind } from './optimizer';
import type { AsPeer } from './peer';
import { registerLoaded } from './serialization';
import { takeOver } from './take-over';

/** An optimizer of gradstep's that is one of TensorFlow.js's. */
export type GradstepOptimizer = AsPeer<TfjsOptimizer>;

/** Variables that step with hyperparameters of their own: those that the group leaves out are the optimizer's. */
export type TfGroup<H extends object> = { readonly variables: readonly TfVariable[] } & Partial<H>;

/** Options of an optimizer with the hyperparameters H. */
export type TfjsOptions<H extends object> = H & CommonOptions & { groups?: readonly TfGroup<H>[] };

/** Options of the optimizers that TensorFlow.js has, too. */
export interface SemanticsOptions {
  /** Whose formula it is: TensorFlow.js's own, or TensorFlow 1's (`tf.train`). Default: 'tfjs'. */
  semantics?: 'tfjs' | 'tf1';
}

/** Makes an optimizer, or takes a running one over. */
export interface Factory<Options> {
  (options: Options): GradstepOptimizer;
  /**
   * Takes over a running optimizer of TensorFlow.js's or gradstep's, with its options, as far as they are the same, and
   * its state. The other one stays as it was: `model.optimizer = adam.from(model.optimizer)`.
   *
   * @param options what is to be different.
   * @throws Error for an optimizer with other state.
   */
  from(optimizer: object, options?: Partial<Options>): GradstepOptimizer;
}

/** A factory whose options all have defaults. */
export interface DefaultFactory<Options> extends Factory<Options> {
  (options?: Options): GradstepOptimizer;
}

function factory<Options extends object>(
  kindFor: (options: Partial<Options>) => readonly [kind: Kind, options: object],
): DefaultFactory<Options> {
  const create = (options: Partial<Options> = {}): GradstepOptimizer => {
    const isObject = typeof options === 'object' && options !== null && !Array.isArray(options);
    if (!isObject) checkOptions('options', options, { learningRate: true }); // says what was meant
    registerLoaded();
    return new TfjsOptimizer(...kindFor(options));
  };
  const from = (optimizer: object, options: Partial<Options> = {}): GradstepOptimizer => {
    registerLoaded();
    const [kind, own] = kindFor(options);
    return takeOver(kind, optimizer, own);
  };
  return Object.assign(create, { from });
}

const ofBoth = <Options extends object>(pair: Pair): DefaultFactory<Options & SemanticsOptions> =>
  factory<SemanticsOptions>(({ semantics = 'tfjs', ...options }) => {
    const kind = pair[semantics] as Kind | undefined;
    if (kind === undefined) throw new RangeError(`semantics must be 'tfjs' or 'tf1', got ${shown(semantics)}`);
    return [kind, options];
  });

const ofOne = <Options extends object>(kind: Kind): DefaultFactory<Options> =>
  factory<Options>((options) => [kind, options]);

/** Options of `momentum`, `lars` and their like. */
export interface NesterovOptions {
  /** Default: false. */
  useNesterov?: boolean;
}

/** Options of `rmsprop`. */
export interface CenteredOptions {
  /** Divides by the deviation of the gradients from their mean. Epsilon is added, where TensorFlow.js subtracts it. Default: false. */
  centered?: boolean;
}

// In the equations g is a variable's gradient, after clipping; w the variable; t the number of the step, from 1. Where
// there are two formulas, `semantics` chooses.

/**
 * Gradient descent: w −= learningRate · g.
 *
 * @param options `learningRate` is required.
 * @throws TypeError or RangeError for options that are missing, unknown or out of range, Error where TensorFlow.js is not
 * loaded: so does every factory here.
 * Source: `tf.train.sgd`.
 */
export const sgd: Factory<TfjsOptions<GradientDescentHyperparameters> & SemanticsOptions> = ofBoth(pairs.sgd);

/**
 * Momentum: m = momentum · m + g, w −= learningRate · m; Nesterov's: w −= learningRate · (g + momentum · m).
 *
 * @param options `learningRate` and `momentum` are required; `useNesterov` false.
 * Source: `tf.train.momentum`.
 */
export const momentum: Factory<TfjsOptions<MomentumHyperparameters> & SemanticsOptions & NesterovOptions> = ofBoth(
  pairs.momentum,
);

/**
 * Adagrad: a += g², w −= learningRate · g / √(a + epsilon); TensorFlow 1's has no epsilon.
 *
 * @param options `learningRate` is required; `initialAccumulatorValue` 0.1, epsilon 1e-7.
 * Source: `tf.train.adagrad`.
 */
export const adagrad: Factory<TfjsOptions<TfjsAdagradHyperparameters> & SemanticsOptions> = ofBoth(pairs.adagrad);

/**
 * Adadelta: u = g · √(d + epsilon) / √(a + epsilon), with a ← rho · a + (1 − rho) · g², d ← rho · d + (1 − rho) · u²;
 * w −= learningRate · u. TensorFlow.js divides by a as it was before the step, TensorFlow 1 by the new one.
 *
 * @param options `learningRate` 0.001, `rho` 0.95, `epsilon` 1e-7 (TensorFlow 1: 1e-8).
 * Source: `tf.train.adadelta`.
 */
export const adadelta: DefaultFactory<TfjsOptions<AdadeltaHyperparameters> & SemanticsOptions> = ofBoth(pairs.adadelta);

/**
 * Adam: m = β₁ m + (1 − β₁) g, v = β₂ v + (1 − β₂) g²,
 * w −= learningRate · (m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ)) + epsilon). TensorFlow 1 adds epsilon before the correction.
 *
 * @param options `learningRate` 0.001, `beta1` 0.9, `beta2` 0.999, `epsilon` 1e-7 (TensorFlow 1: 1e-8).
 * Source: `tf.train.adam`; Kingma and Ba, "Adam: A Method for Stochastic Optimization" (2015).
 */
export const adam: DefaultFactory<TfjsOptions<AdamHyperparameters> & SemanticsOptions> = ofBoth(pairs.adam);

/**
 * Adamax: m = β₁ m + (1 − β₁) g, v = max(β₂ v, |g|), w −= learningRate / (1 − β₁ᵗ) · m / (v + epsilon). TensorFlow.js's
 * divides the rate by 1 + decay · (t − 1).
 *
 * @param options `learningRate` 0.002, `beta1` 0.9, `beta2` 0.999, `epsilon` 1e-7 (1e-8), `decay` 0.
 * Source: `tf.train.adamax`; Kingma and Ba (2015), section 7.1.
 */
export const adamax: DefaultFactory<TfjsOptions<TfjsAdamaxHyperparameters> & SemanticsOptions> = ofBoth(pairs.adamax);

/**
 * RMSProp: s = decay · s + (1 − decay) · g², m = momentum · m + learningRate · g / √(s + epsilon), w −= m. Centered, s less
 * the square of the gradients' mean stands in the root. There TensorFlow.js subtracts epsilon, which is NaN at the first
 * step of any gradient below about 1e-3: here it is added, as in TensorFlow 1.
 *
 * @param options `learningRate` is required; `decay` 0.9, `momentum` 0, `epsilon` 1e-7 (TensorFlow 1: 1e-10, and s starts
 * from 1), `centered` false.
 * Source: `tf.train.rmsprop`.
 */
export const rmsprop: Factory<TfjsOptions<RMSPropHyperparameters> & SemanticsOptions & CenteredOptions> = ofBoth(
  pairs.rmsprop,
);

/**
 * AdamW: Adam, then w −= learningRate · weightDecay · w, which does not pass through the moments.
 *
 * @param options `learningRate` 0.001, `beta1` 0.9, `beta2` 0.999, `epsilon` 1e-8, `weightDecay` 0.01;
 * `excludeFromWeightDecay` is asked with the name of each variable.
 * Source: Loshchilov and Hutter, "Decoupled Weight Decay Regularization" (2019).
 */
export const adamW: DefaultFactory<TfjsOptions<AdamWHyperparameters> & WeightDecayOptions> = ofOne(kinds.adamW);

/** The same as `adam` with TensorFlow 1's semantics: TensorFlow.js's gradients are dense. */
export const lazyAdam: DefaultFactory<TfjsOptions<AdamHyperparameters>> = ofOne(kinds.lazyAdam);

/**
 * AMSGrad: Adam with the largest v so far in place of v. Options as `adam` with TensorFlow 1's semantics.
 * Source: Reddi, Kale and Kumar, "On the Convergence of Adam and Beyond" (2018).
 */
export const amsGrad: DefaultFactory<TfjsOptions<AdamHyperparameters>> = ofOne(kinds.amsGrad);

/**
 * Nadam: Adam with Nesterov's momentum. Options of `NadamOptimizer`.
 * Source: Dozat, "Incorporating Nesterov Momentum into Adam" (2016).
 */
export const nadam: DefaultFactory<TfjsOptions<NadamHyperparameters>> = ofOne(kinds.nadam);

/**
 * FTRL, with l1 and l2. Options of `FtrlOptimizer`; `learningRate` is required.
 * Source: McMahan et al., "Ad Click Prediction: a View from the Trenches" (2013); `tf.train.FtrlOptimizer`.
 */
export const ftrl: Factory<TfjsOptions<FtrlHyperparameters>> = ofOne(kinds.ftrl);

/**
 * Lion: w −= learningRate · (sign(β₁ m + (1 − β₁) g) + weightDecay · w), m = β₂ m + (1 − β₂) g. Options of `LionOptimizer`.
 * Source: Chen et al., "Symbolic Discovery of Optimization Algorithms" (2023).
 */
export const lion: DefaultFactory<TfjsOptions<LionHyperparameters> & WeightDecayOptions> = ofOne(kinds.lion);

/**
 * LAMB: Adam's step by the ratio of the norms of the variable and of the step. Options of `LambOptimizer`.
 * Source: You et al., "Large Batch Optimization for Deep Learning" (2020).
 */
export const lamb: DefaultFactory<TfjsOptions<LambHyperparameters> & WeightDecayOptions> = ofOne(kinds.lamb);

/**
 * LARS: momentum with a rate for each variable, by the ratio of its norm and its gradient's. Options of `LarsOptimizer`;
 * `learningRate` is required.
 * Source: You, Gitman and Ginsburg, "Large Batch Training of Convolutional Networks" (2017).
 */
export const lars: Factory<TfjsOptions<LarsHyperparameters> & NesterovOptions & WeightDecayOptions> = ofOne(kinds.lars);

/**
 * Adagrad with dual averaging, which counts its steps itself. Options of `AdagradDAOptimizer` but `globalStep`;
 * `learningRate` is required.
 * Source: `tf.train.AdagradDAOptimizer`.
 */
export const adagradDA: Factory<TfjsOptions<AdagradDAHyperparameters>> = ofOne(kinds.adagradDA);

/**
 * Proximal Adagrad, with l1 and l2. Options of `ProximalAdagradOptimizer`; `learningRate` is required.
 * Source: `tf.train.ProximalAdagradOptimizer`.
 */
export const proximalAdagrad: Factory<TfjsOptions<ProximalAdagradHyperparameters>> = ofOne(kinds.proximalAdagrad);

/**
 * Proximal gradient descent, with l1 and l2. Options of `ProximalGradientDescentOptimizer`; `learningRate` is required.
 * Source: `tf.train.ProximalGradientDescentOptimizer`.
 */
export const proximalGradientDescent: Factory<TfjsOptions<ProximalGradientDescentHyperparameters>> = ofOne(
  kinds.proximalGradientDescent,
);
