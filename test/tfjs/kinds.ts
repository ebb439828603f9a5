import * as tfjs from 'gradstep/tfjs';
import * as gradstep from 'gradstep';
import type { Optimizer, Tf } from './tf';

// Every optimizer of gradstep/tfjs, with what it is compared with.

type Options = Readonly<Record<string, unknown>>;

export interface KindCase {
  readonly name: string;
  /** Options that are always given. */
  readonly options: Options;
  /** Options that tests choose, each within its range. */
  readonly ranges: Readonly<Record<string, readonly [low: number, high: number]>>;
  readonly create: (options?: Options) => Optimizer;
  /** TensorFlow.js's own with the same formula. */
  readonly theirs?: (tf: Tf, options: Options) => Optimizer;
  /** gradstep's own with the same formula. */
  readonly core?: (options: Options) => gradstep.Optimizer;
}

interface Ways {
  options?: Options;
  theirs?: (tf: Tf, options: Record<string, never>) => Optimizer;
  core?: string;
}

function kind(
  name: string,
  factory: string,
  ranges: KindCase['ranges'],
  { options = {}, theirs, core }: Ways,
): KindCase {
  const make = tfjs[factory as keyof typeof tfjs] as unknown as (options: object) => Optimizer;
  const middle = Object.fromEntries(Object.entries(ranges).map(([key, [low, high]]) => [key, (low + high) / 2]));
  const own = Object.fromEntries(Object.entries(options).filter(([key]) => key !== 'semantics'));
  return {
    name,
    options,
    ranges,
    create: (given = {}) => make({ ...options, ...middle, ...given }),
    ...(theirs && { theirs: theirs as NonNullable<KindCase['theirs']> }),
    ...(core && {
      core: (given) => {
        const Class = gradstep[`${core}Optimizer` as keyof typeof gradstep] as unknown as new (
          o: object,
        ) => gradstep.Optimizer;
        return new Class({ ...own, ...given });
      },
    }),
  };
}

const rate = [0.01, 0.5] as const;
const beta = [0.5, 0.95] as const;
const small = [1e-8, 1e-2] as const;
const strength = [0, 0.1] as const;
const start = [0.1, 1] as const;
const moments = { learningRate: rate, beta1: beta, beta2: beta, epsilon: small };
const rms = { learningRate: rate, decay: beta, momentum: beta, epsilon: [1e-3, 1e-1] } as const;
const proximal = { learningRate: rate, l1RegularizationStrength: strength, l2RegularizationStrength: strength };
const lars = { learningRate: rate, momentum: beta, weightDecay: strength, trustCoefficient: start, epsilon: small };
const tf1 = { semantics: 'tf1' };

export const kinds: readonly KindCase[] = [
  kind(
    'sgd',
    'sgd',
    { learningRate: rate },
    { theirs: (tf, o) => tf.train.sgd!(o.learningRate), core: 'GradientDescent' },
  ),
  kind(
    'momentum',
    'momentum',
    { learningRate: rate, momentum: beta },
    { theirs: (tf, o) => tf.train.momentum!(o.learningRate, o.momentum), core: 'Momentum' },
  ),
  kind(
    'momentum, Nesterov',
    'momentum',
    { learningRate: rate, momentum: beta },
    {
      options: { useNesterov: true },
      theirs: (tf, o) => tf.train.momentum!(o.learningRate, o.momentum, true),
      core: 'Momentum',
    },
  ),
  kind(
    'adagrad',
    'adagrad',
    { learningRate: rate, initialAccumulatorValue: start },
    { theirs: (tf, o) => tf.train.adagrad!(o.learningRate, o.initialAccumulatorValue) },
  ),
  kind(
    'adadelta',
    'adadelta',
    { learningRate: rate, rho: beta, epsilon: [1e-3, 1e-1] },
    { theirs: (tf, o) => tf.train.adadelta!(o.learningRate, o.rho, o.epsilon) },
  ),
  kind('adam', 'adam', moments, {
    theirs: (tf, o) => tf.train.adam!(o.learningRate, o.beta1, o.beta2, o.epsilon),
  }),
  kind(
    'adamax',
    'adamax',
    { ...moments, decay: strength },
    { theirs: (tf, o) => tf.train.adamax!(o.learningRate, o.beta1, o.beta2, o.epsilon, o.decay) },
  ),
  kind('rmsprop', 'rmsprop', rms, {
    theirs: (tf, o) => tf.train.rmsprop!(o.learningRate, o.decay, o.momentum, o.epsilon),
  }),
  kind('rmsprop, centered', 'rmsprop', rms, { options: { centered: true } }),
  kind('sgd, tf1', 'sgd', { learningRate: rate }, { options: tf1, core: 'GradientDescent' }),
  kind('momentum, tf1', 'momentum', { learningRate: rate, momentum: beta }, { options: tf1, core: 'Momentum' }),
  kind(
    'adagrad, tf1',
    'adagrad',
    { learningRate: rate, initialAccumulatorValue: start },
    { options: tf1, core: 'Adagrad' },
  ),
  kind(
    'adadelta, tf1',
    'adadelta',
    { learningRate: rate, rho: beta, epsilon: small },
    { options: tf1, core: 'Adadelta' },
  ),
  kind('adam, tf1', 'adam', moments, { options: tf1, core: 'Adam' }),
  kind('adamax, tf1', 'adamax', moments, { options: tf1, core: 'Adamax' }),
  kind('rmsprop, tf1', 'rmsprop', rms, { options: tf1, core: 'RMSProp' }),
  kind('rmsprop, centered, tf1', 'rmsprop', rms, { options: { ...tf1, centered: true }, core: 'RMSProp' }),
  kind('adamW', 'adamW', { ...moments, weightDecay: strength }, { core: 'AdamW' }),
  kind('lazyAdam', 'lazyAdam', moments, { core: 'LazyAdam' }),
  kind('amsGrad', 'amsGrad', moments, { core: 'AMSGrad' }),
  kind('nadam', 'nadam', { ...moments, momentumDecay: strength }, { core: 'Nadam' }),
  kind(
    'ftrl',
    'ftrl',
    {
      ...proximal,
      initialAccumulatorValue: start,
      l2ShrinkageRegularizationStrength: strength,
      beta: [0, 1],
    },
    { core: 'Ftrl' },
  ),
  kind('lion', 'lion', { learningRate: rate, beta1: beta, beta2: beta, weightDecay: strength }, { core: 'Lion' }),
  kind('lamb', 'lamb', { ...moments, weightDecay: strength }, { core: 'Lamb' }),
  kind('lars', 'lars', lars, { core: 'Lars' }),
  kind('lars, Nesterov', 'lars', lars, { options: { useNesterov: true }, core: 'Lars' }),
  kind('adagradDA', 'adagradDA', { ...proximal, initialGradientSquaredAccumulatorValue: start }, { core: 'AdagradDA' }),
  kind(
    'proximalAdagrad',
    'proximalAdagrad',
    { ...proximal, initialAccumulatorValue: start },
    { core: 'ProximalAdagrad' },
  ),
  kind('proximalGradientDescent', 'proximalGradientDescent', proximal, { core: 'ProximalGradientDescent' }),
];
