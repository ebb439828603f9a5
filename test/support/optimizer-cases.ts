import * as gradstep from 'gradstep';
import { createGlobalStep, type GlobalStep, type Optimizer } from 'gradstep';
import type { references } from './reference';
import { type Hyper } from './reference';

/** An optimizer class, or a form of it, with what the tests of all of them have to know. */
export interface OptimizerCase {
  readonly name: string;
  readonly rule: keyof typeof references;
  /** Ranges of hyperparameters in which the rule is well conditioned. */
  readonly ranges: Readonly<Partial<Record<keyof Hyper, readonly [low: number, high: number]>>>;
  /** Whether a sparse gradient moves all rows, with a gradient of zero where it has none. */
  readonly allRows: boolean;
  /** By how much a step may multiply the rounding errors of terms of the order of 1. */
  readonly condition: number;
  /** @param globalStep for one that counts by it. Default: a new one. */
  readonly create: (
    hyper: Partial<Hyper>,
    globalStep?: GlobalStep,
  ) => { optimizer: Optimizer; globalStep: GlobalStep | undefined };
}

interface Form {
  readonly form?: string;
  readonly options?: object;
  readonly allRows?: boolean;
  readonly condition?: number;
}

const rate = [0.01, 1] as const;
const beta = [0.5, 0.95] as const; // r + (1 - beta) (x - r) loses bits for a small beta
const small = [1e-8, 1e-2] as const;
const strength = [0, 0.1] as const;
const start = [0.1, 1] as const;
const moments = { learningRate: rate, beta1: beta, beta2: beta, epsilon: small };

function describeCase(
  className: string,
  rule: keyof typeof references,
  ranges: OptimizerCase['ranges'],
  { form, options = {}, allRows = false, condition = 1 }: Form = {},
): OptimizerCase {
  const create: OptimizerCase['create'] = (hyper, shared) => {
    const Class = gradstep[`${className}Optimizer` as keyof typeof gradstep] as unknown as new (o: object) => Optimizer;
    const globalStep = className === 'AdagradDA' ? (shared ?? createGlobalStep()) : undefined;
    return { optimizer: new Class({ ...options, ...hyper, ...(globalStep && { globalStep }) }), globalStep };
  };
  return { name: className + (form ? ` (${form})` : ''), rule, ranges, allRows, condition, create };
}

const rms = { learningRate: rate, decay: beta, momentum: beta, epsilon: [1e-3, 1e-1] } as const;
const proximal = {
  learningRate: rate,
  l1RegularizationStrength: [-0.1, 0.1],
  l2RegularizationStrength: strength,
} as const;
const lars = { learningRate: rate, momentum: beta, weightDecay: strength, trustCoefficient: start, epsilon: small };

export const optimizerCases: readonly OptimizerCase[] = [
  describeCase('GradientDescent', 'gradientDescent', { learningRate: rate }),
  describeCase('Momentum', 'momentum', { learningRate: rate, momentum: beta }),
  describeCase(
    'Momentum',
    'nesterovMomentum',
    { learningRate: rate, momentum: beta },
    { form: 'Nesterov', options: { useNesterov: true } },
  ),
  describeCase('Adam', 'adam', moments, { allRows: true }),
  describeCase('LazyAdam', 'adam', moments),
  describeCase('AdamW', 'adamW', { ...moments, weightDecay: strength }, { allRows: true }),
  describeCase('AMSGrad', 'amsGrad', moments, { allRows: true }),
  describeCase('Nadam', 'nadam', { ...moments, momentumDecay: [0, 0.1] }, { allRows: true, condition: 4 }),
  describeCase('Adamax', 'adamax', moments, { allRows: true }),
  describeCase('Adagrad', 'adagrad', { learningRate: rate, initialAccumulatorValue: start }),
  describeCase('AdagradDA', 'adagradDA', {
    ...proximal,
    initialGradientSquaredAccumulatorValue: start,
  }),
  describeCase('Adadelta', 'adadelta', { learningRate: rate, rho: beta, epsilon: small }),
  describeCase('RMSProp', 'rmsProp', rms),
  describeCase('RMSProp', 'centeredRMSProp', rms, {
    form: 'centered',
    options: { centered: true },
    condition: 64, // r - c^2 cancels
  }),
  ...([undefined, -0.3] as const).map((learningRatePower) =>
    describeCase(
      'Ftrl',
      'ftrl',
      {
        learningRate: [0.1, 1],
        initialAccumulatorValue: start,
        l1RegularizationStrength: strength,
        l2RegularizationStrength: strength,
        l2ShrinkageRegularizationStrength: strength,
        beta: [0, 1],
      },
      // z is a sum that cancels, and is divided by as little as 0.3
      { condition: 64, ...(learningRatePower && { form: 'power -0.3', options: { learningRatePower } }) },
    ),
  ),
  describeCase('ProximalGradientDescent', 'proximalGradientDescent', proximal),
  describeCase('ProximalAdagrad', 'proximalAdagrad', { ...proximal, initialAccumulatorValue: start }),
  describeCase(
    'Lion',
    'lion',
    { learningRate: rate, beta1: beta, beta2: beta, weightDecay: strength },
    { allRows: true },
  ),
  describeCase('Lamb', 'lamb', { ...moments, weightDecay: strength }, { allRows: true, condition: 4 }),
  describeCase('Lars', 'lars', lars, { allRows: true }),
  describeCase('Lars', 'nesterovLars', lars, { form: 'Nesterov', options: { useNesterov: true }, allRows: true }),
];

/** Hyperparameters that the tests of bytes use: the middle of every range. */
export function middling({ ranges }: OptimizerCase): Partial<Hyper> {
  return Object.fromEntries(Object.entries(ranges).map(([name, [low, high]]) => [name, (low + high) / 2]));
}
