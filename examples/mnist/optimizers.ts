import { AdamOptimizer, GradientDescentOptimizer, MomentumOptimizer, type Optimizer, type Schedule } from 'gradstep';

interface Choice {
  /** The learning rate of the first step. */
  readonly defaultRate: number;
  readonly create: (learningRate: Schedule) => Optimizer;
}

/** What `--optimizer` can name. */
export const optimizers = {
  adam: { defaultRate: 0.002, create: (learningRate) => new AdamOptimizer({ learningRate }) },
  gradientDescent: { defaultRate: 0.2, create: (learningRate) => new GradientDescentOptimizer({ learningRate }) },
  momentum: { defaultRate: 0.05, create: (learningRate) => new MomentumOptimizer({ learningRate, momentum: 0.9 }) },
} satisfies Record<string, Choice>;

export type OptimizerName = keyof typeof optimizers;
