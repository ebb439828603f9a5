import {
  AdamOptimizer,
  AdamWOptimizer,
  clipByGlobalNorm,
  createGlobalStep,
  customGradient,
  DynamicLossScale,
  IndexedSlices,
  LambOptimizer,
  LazyAdamOptimizer,
  MixedPrecisionLossScaleOptimizer,
  MomentumOptimizer,
  ops,
  OptimizerWrapper,
  RMSPropOptimizer,
  tensor,
  variable,
  type ComputeGradientsOptions,
  type GlobalStep,
  type Gradient,
  type GradientsAndVariables,
  type Optimizer,
  type Tensor,
  type Variable,
} from 'gradstep';
import { stateOf } from './models';

/** What a batch has for a variable. */
export type Has = 'nothing' | 'all' | 'rows';

/** A training whose gradients are given: what each batch of each step has for each variable. */
export interface Scenario {
  readonly seed: number;
  readonly variables: readonly { readonly dtype: 'float32' | 'float64'; readonly shape: readonly number[] }[];
  readonly optimizer: keyof typeof optimizers;
  readonly fusionBytes: number;
  readonly clips: boolean;
  /** By steps, batches and variables. */
  readonly steps: readonly (readonly (readonly Has[])[])[];
}

const excludeFromWeightDecay = (name: string): boolean => name === 'v1';

/** One with a way of its own to compute gradients, as a user may write it. */
class Doubling extends OptimizerWrapper {
  constructor(optimizer: Optimizer) {
    super(optimizer);
  }

  override computeGradients(loss: () => Tensor, options?: ComputeGradientsOptions): GradientsAndVariables {
    return super.computeGradients(() => ops.mul(loss(), 2), options);
  }
}

const scaled = (optimizer: Optimizer, initialLossScale: number): Optimizer =>
  new MixedPrecisionLossScaleOptimizer(optimizer, new DynamicLossScale({ initialLossScale, incrementPeriod: 2 }));

/** @param within puts what averages, or nothing, where it belongs. */
export const optimizers = {
  Adam: (within) => within(new AdamOptimizer({ learningRate: 0.1 })),
  AdamW: (within) => within(new AdamWOptimizer({ weightDecay: 0.1, excludeFromWeightDecay })),
  LAMB: (within) => within(new LambOptimizer({ learningRate: 0.1, weightDecay: 0.1, excludeFromWeightDecay })),
  LazyAdam: (within) => within(new LazyAdamOptimizer({ learningRate: 0.1 })),
  Momentum: (within) => within(new MomentumOptimizer({ learningRate: 0.1, momentum: 0.9, useNesterov: true })),
  RMSProp: (within) => within(new RMSPropOptimizer({ learningRate: 0.01, momentum: 0.5 })),
  'Adam with a loss scale': (within) => within(scaled(new AdamOptimizer(), 64)),
  'Adam within a loss scale': (within) => scaled(within(new AdamOptimizer()), 64),
  'Adam with an odd loss scale': (within) => within(scaled(new AdamOptimizer(), 7)),
  'a wrapper of a user': (within) => within(new Doubling(new AdamOptimizer())),
} as const satisfies Readonly<Record<string, (within: (optimizer: Optimizer) => Optimizer) => Optimizer>>;

/** Numbers that look like nothing, some of them zeros of either sign. */
function numbers(seed: number, length: number): Float64Array {
  return Float64Array.from({ length }, (_, k) => {
    const x = Math.sin(12.9898 * (seed + 1) + 78.233 * (k + 1));
    return Math.abs(x) < 0.2 ? (x < 0 ? -0 : 0) : 2 * x;
  });
}

const arrayOf = (dtype: Variable['dtype'], values: Float64Array) =>
  dtype === 'float32' ? Float32Array.from(values) : values;

export class Training {
  readonly variables: readonly Variable[];
  readonly globalStep: GlobalStep = createGlobalStep();
  readonly optimizer: Optimizer;
  readonly losses: number[] = [];

  constructor(
    readonly scenario: Scenario,
    within: (optimizer: Optimizer) => Optimizer,
  ) {
    this.variables = scenario.variables.map(({ dtype, shape }, i) => {
      const size = shape.reduce((product, n) => product * n, 1);
      return variable(arrayOf(dtype, numbers(i, size)), { name: `v${i}`, shape });
    });
    this.optimizer = optimizers[scenario.optimizer](within);
  }

  /** The loss of a batch, with the gradients that the scenario says. */
  loss(step: number, batch: number): Tensor {
    const terms = this.variables.flatMap((one, i) => {
      const has = this.scenario.steps[step]![batch]![i]!;
      if (has === 'nothing') return [];
      const seed = this.scenario.seed + 1000 * step + 100 * batch + i;
      const gradient = gradientOf(has, one, seed);
      const term = customGradient((x) => ({
        value: tensor([Math.sin(seed) * x.size]),
        gradient: (dy) => [timesOf(gradient, dy)],
      }));
      return [ops.cast(term(one), 'float32')];
    });
    return terms.reduce((sum, term) => ops.add(sum, term), tensor([0]));
  }

  /** The step that these gradients make. */
  apply(mean: GradientsAndVariables): void {
    this.losses.push(mean.loss.item());
    const clipped = this.scenario.clips ? clipByGlobalNorm(mean, 0.5)[0] : mean;
    this.optimizer.applyGradients(clipped, { globalStep: this.globalStep });
  }

  get state(): object {
    return { ...stateOf(this.variables, this.optimizer, this.globalStep), losses: this.losses };
  }
}

function gradientOf(has: Has, { dtype, shape, size }: Variable, seed: number): Gradient {
  if (has === 'all' || shape.length === 0) return tensor(arrayOf(dtype, numbers(seed, size)), shape);
  const indices = Int32Array.from({ length: 3 }, (_, k) => Math.abs(seed * (k + 1)) % shape[0]!);
  const values = arrayOf(dtype, numbers(seed, (3 * size) / shape[0]!));
  return new IndexedSlices(tensor(values, [3, ...shape.slice(1)]), indices, shape);
}

/** A gradient times that of the loss, as an op would make it. */
function timesOf(gradient: Gradient, dy: Tensor): Gradient {
  const factor = dy.data[0]!;
  if (!(gradient instanceof IndexedSlices)) return ops.mul(gradient, factor);
  return new IndexedSlices(ops.mul(gradient.values, factor), gradient.indices, gradient.denseShape);
}
