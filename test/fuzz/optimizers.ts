import * as gradstep from 'gradstep';
import { createGlobalStep, Optimizer, variable } from 'gradstep';

export type OptimizerClass = new (options: Record<string, unknown>) => Optimizer;

export interface KnownOptimizer {
  readonly name: string;
  readonly Class: OptimizerClass;
  /** Options without which it cannot be made; a global step has to be a new one each time. */
  readonly needed: () => Record<string, unknown>;
  /** Options that may be functions. */
  readonly schedules: readonly string[];
}

const candidates = [
  'learningRate',
  'momentum',
  'beta1',
  'beta2',
  'epsilon',
  'decay',
  'rho',
  'initialAccumulatorValue',
  'initialGradientSquaredAccumulatorValue',
  'l1RegularizationStrength',
  'l2RegularizationStrength',
  'weightDecay',
  'momentumDecay',
  'trustCoefficient',
];

/** Every class of the package's exports that can be made of options alone. */
export const knownOptimizers: readonly KnownOptimizer[] = Object.entries(gradstep).flatMap(([name, value]) => {
  if (typeof value !== 'function' || !(value.prototype instanceof Optimizer)) return [];
  const Class = value as unknown as OptimizerClass;
  const needed = whatIsNeeded(Class);
  if (needed === undefined) return [];
  return [{ name, Class, needed, schedules: candidates.filter((option) => isSchedule(Class, needed(), option)) }];
});

/** Reads from the errors what a class wants to have. */
function whatIsNeeded(Class: OptimizerClass): (() => Record<string, unknown>) | undefined {
  const names: string[] = [];
  const needed = (): Record<string, unknown> =>
    Object.fromEntries(names.map((name) => [name, name === 'globalStep' ? createGlobalStep() : 0.5]));
  for (let tries = 0; tries < 5; tries++) {
    try {
      new Class(needed());
      return needed;
    } catch (error) {
      const [, name] = /^(\w+) must be/.exec((error as Error).message) ?? [];
      if (name === undefined || names.includes(name)) return undefined; // a wrapper: it wants an optimizer
      names.push(name);
    }
  }
  return undefined;
}

function isSchedule(Class: OptimizerClass, options: Record<string, unknown>, name: string): boolean {
  let isAsked = false;
  const schedule = (): number => {
    isAsked = true;
    return 0.5;
  };
  try {
    new Class({ ...options, [name]: schedule }).applyGradients([[Float32Array.of(1), variable([1])]]);
  } catch {
    return false;
  }
  return isAsked;
}
