import { AdadeltaOptimizer } from '../optimizers/adadelta';
import { AdagradOptimizer } from '../optimizers/adagrad';
import { AdagradDAOptimizer } from '../optimizers/adagrad-da';
import { AdamOptimizer } from '../optimizers/adam';
import { AdamaxOptimizer } from '../optimizers/adamax';
import { AdamWOptimizer } from '../optimizers/adamw';
import { AMSGradOptimizer } from '../optimizers/amsgrad';
import { FtrlOptimizer } from '../optimizers/ftrl';
import { GradientDescentOptimizer } from '../optimizers/gradient-descent';
import { LambOptimizer } from '../optimizers/lamb';
import { LarsOptimizer } from '../optimizers/lars';
import { LazyAdamOptimizer } from '../optimizers/lazy-adam';
import { LionOptimizer } from '../optimizers/lion';
import { MomentumOptimizer } from '../optimizers/momentum';
import { NadamOptimizer } from '../optimizers/nadam';
import { ProximalAdagradOptimizer } from '../optimizers/proximal-adagrad';
import { ProximalGradientDescentOptimizer } from '../optimizers/proximal-gradient-descent';
import { RMSPropOptimizer } from '../optimizers/rmsprop';
import type { RuleOptimizer } from '../optimizers/rule-optimizer';
import type { Names } from '../options';
import { GlobalStep } from '../tensor/global-step';
import { TfjsAdadelta, TfjsAdagrad, TfjsAdam, TfjsAdamax, TfjsRMSProp } from './formulas';
import type { Kind } from './optimizer';

// Every optimizer there is. Those that TensorFlow.js has too come in two: with its formulas, under its class name, and with
// TensorFlow 1's, under a name of ours.

/** Checks its options itself: a class of gradstep, of options that are not known here. */
type Class = new (options: never) => RuleOptimizer;

const none: Names = {};

const from = (Rule: Class, className: string, ownOptions: Names = none): Kind => ({
  className,
  ownOptions,
  isTheirs: !className.startsWith('Gradstep'),
  enough: { learningRate: 1 },
  create: (options) => new Rule(options as never),
});

/** The kinds of those that TensorFlow.js has, by semantics. */
export interface Pair {
  readonly tfjs: Kind;
  readonly tf1: Kind;
}

const nesterov: Names = { useNesterov: true };
const sgdKind = from(GradientDescentOptimizer, 'SGD');
const momentumKind = { ...from(MomentumOptimizer, 'Momentum', nesterov), enough: { learningRate: 1, momentum: 0 } };

export const pairs = {
  sgd: { tfjs: sgdKind, tf1: sgdKind }, // one formula
  momentum: { tfjs: momentumKind, tf1: momentumKind },
  adagrad: {
    tfjs: { ...from(TfjsAdagrad, 'Adagrad'), notTheirs: ['epsilon'] },
    tf1: from(AdagradOptimizer, 'GradstepAdagrad'),
  },
  adadelta: { tfjs: from(TfjsAdadelta, 'Adadelta'), tf1: from(AdadeltaOptimizer, 'GradstepAdadelta') },
  adam: { tfjs: from(TfjsAdam, 'Adam'), tf1: from(AdamOptimizer, 'GradstepAdam') },
  adamax: {
    tfjs: {
      ...from(AdamaxOptimizer, 'Adamax'),
      weights: [['u', 'v']],
      create: (options: object, iterations: () => number) => new TfjsAdamax(options, iterations),
    },
    tf1: from(AdamaxOptimizer, 'GradstepAdamax'),
  },
  rmsprop: {
    tfjs: from(TfjsRMSProp, 'RMSProp', { centered: true }),
    tf1: from(RMSPropOptimizer, 'GradstepRMSProp', { centered: true }),
  },
} satisfies Record<string, Pair>;

/** The optimizer's own count of steps, as the counter that AdagradDA asks. */
class OwnSteps extends GlobalStep {
  constructor(private readonly iterations: () => number) {
    super();
  }

  override get value(): number {
    return this.iterations();
  }
}

/** The kinds that only gradstep has. */
export const kinds = {
  adamW: from(AdamWOptimizer, 'GradstepAdamW'),
  lazyAdam: from(LazyAdamOptimizer, 'GradstepLazyAdam'),
  amsGrad: from(AMSGradOptimizer, 'GradstepAMSGrad'),
  nadam: from(NadamOptimizer, 'GradstepNadam'),
  ftrl: from(FtrlOptimizer, 'GradstepFtrl'),
  lion: from(LionOptimizer, 'GradstepLion'),
  lamb: from(LambOptimizer, 'GradstepLamb'),
  lars: from(LarsOptimizer, 'GradstepLars', nesterov),
  adagradDA: {
    ...from(AdagradDAOptimizer, 'GradstepAdagradDA'),
    create: (options: object, iterations: () => number) =>
      new AdagradDAOptimizer({ ...options, globalStep: new OwnSteps(iterations) } as never),
  },
  proximalAdagrad: from(ProximalAdagradOptimizer, 'GradstepProximalAdagrad'),
  proximalGradientDescent: from(ProximalGradientDescentOptimizer, 'GradstepProximalGradientDescent'),
} satisfies Record<string, Kind>;

/** All there are. */
export const allKinds: readonly Kind[] = [
  ...Object.values<Pair>(pairs).flatMap(({ tfjs, tf1 }) => (tfjs === tf1 ? [tfjs] : [tfjs, tf1])),
  ...Object.values<Kind>(kinds),
];
