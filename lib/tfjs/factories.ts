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

type Options<H extends object> = TfjsOptions<H> & SemanticsOptions;

/** Gradient descent; `learningRate` is required. */
export const sgd: Factory<Options<GradientDescentHyperparameters>> = ofBoth(pairs.sgd);
/** Momentum, plain or Nesterov's; `learningRate` and `momentum` are required. */
export const momentum: Factory<Options<MomentumHyperparameters> & NesterovOptions> = ofBoth(pairs.momentum);
/** Adagrad; `learningRate` is required. */
export const adagrad: Factory<Options<TfjsAdagradHyperparameters>> = ofBoth(pairs.adagrad);
/** Adadelta. */
export const adadelta: DefaultFactory<Options<AdadeltaHyperparameters>> = ofBoth(pairs.adadelta);
/** Adam. */
export const adam: DefaultFactory<Options<AdamHyperparameters>> = ofBoth(pairs.adam);
/** Adamax. */
export const adamax: DefaultFactory<Options<TfjsAdamaxHyperparameters>> = ofBoth(pairs.adamax);
/** RMSProp; `learningRate` is required. */
export const rmsprop: Factory<Options<RMSPropHyperparameters> & CenteredOptions> = ofBoth(pairs.rmsprop);

/** AdamW: Adam with a weight decay that does not pass through the moments. */
export const adamW: DefaultFactory<TfjsOptions<AdamWHyperparameters> & WeightDecayOptions> = ofOne(kinds.adamW);
/** Adam; the same as `adam` of TensorFlow 1's semantics here, where all gradients are dense. */
export const lazyAdam: DefaultFactory<TfjsOptions<AdamHyperparameters>> = ofOne(kinds.lazyAdam);
/** AMSGrad. */
export const amsGrad: DefaultFactory<TfjsOptions<AdamHyperparameters>> = ofOne(kinds.amsGrad);
/** Nadam. */
export const nadam: DefaultFactory<TfjsOptions<NadamHyperparameters>> = ofOne(kinds.nadam);
/** FTRL; `learningRate` is required. */
export const ftrl: Factory<TfjsOptions<FtrlHyperparameters>> = ofOne(kinds.ftrl);
/** Lion. */
export const lion: DefaultFactory<TfjsOptions<LionHyperparameters> & WeightDecayOptions> = ofOne(kinds.lion);
/** LAMB. */
export const lamb: DefaultFactory<TfjsOptions<LambHyperparameters> & WeightDecayOptions> = ofOne(kinds.lamb);
/** LARS; `learningRate` is required. */
export const lars: Factory<TfjsOptions<LarsHyperparameters> & NesterovOptions & WeightDecayOptions> = ofOne(kinds.lars);
/** Adagrad with dual averaging, which counts its steps itself; `learningRate` is required. */
export const adagradDA: Factory<TfjsOptions<AdagradDAHyperparameters>> = ofOne(kinds.adagradDA);
/** Proximal Adagrad; `learningRate` is required. */
export const proximalAdagrad: Factory<TfjsOptions<ProximalAdagradHyperparameters>> = ofOne(kinds.proximalAdagrad);
/** Proximal gradient descent; `learningRate` is required. */
export const proximalGradientDescent: Factory<TfjsOptions<ProximalGradientDescentHyperparameters>> = ofOne(
  kinds.proximalGradientDescent,
);
