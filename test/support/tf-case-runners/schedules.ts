import { expect } from 'chai';
import * as gradstep from 'gradstep';
import { createGlobalStep, GradientDescentOptimizer, tensor, variable } from 'gradstep';
import type { Encoded, TfRun, TfRunner } from '../tf-cases';

type Options = Record<string, unknown>;
type Decay = (...args: unknown[]) => () => number;

/** Positional arguments of each function after learning_rate, and its options. */
const decays: Readonly<Record<string, { positional: string[]; options: string[] }>> = {
  exponential_decay: { positional: ['decay_steps', 'decay_rate'], options: ['staircase'] },
  natural_exp_decay: { positional: ['decay_steps', 'decay_rate'], options: ['staircase'] },
  inverse_time_decay: { positional: ['decay_steps', 'decay_rate'], options: ['staircase'] },
  polynomial_decay: { positional: ['decay_steps'], options: ['end_learning_rate', 'power', 'cycle'] },
  cosine_decay: { positional: ['decay_steps'], options: ['alpha'] },
  cosine_decay_restarts: { positional: ['first_decay_steps'], options: ['t_mul', 'm_mul', 'alpha'] },
  linear_cosine_decay: { positional: ['decay_steps'], options: ['num_periods', 'alpha', 'beta'] },
};

const camelCase = (name: string) => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

function functionOf(op: string): Decay {
  return gradstep[camelCase(op) as keyof typeof gradstep] as unknown as Decay;
}

function runDecay(run: TfRun): void {
  const { positional, options } = decays[run.op]!;
  const learningRate = run.args.required<number>('learning_rate');
  const given = positional.map((name) => run.args.required<number>(name));
  const chosen: Options = {};
  for (const name of options) {
    const value = run.args.optional<unknown>(name);
    if (value !== undefined) chosen[camelCase(name)] = value;
  }
  expectValues(run, (globalStep) => functionOf(run.op)(learningRate, globalStep, ...given, chosen));
}

/** The values at each step: by a number, by a function, and by a GlobalStep under an optimizer. */
function expectValues({ inputs, expected, close }: TfRun, decayAt: (globalStep: unknown) => () => number): void {
  const steps = inputs.required<number[]>('global_step');
  const values = expected.required<Encoded[]>('values');
  steps.forEach((step, i) => {
    close(decayAt(step)(), values[i]!, `value at step ${step}`);
    close(decayAt(() => step)(), values[i]!, `value at step ${step}`);
    if (step < 0) return;
    const globalStep = createGlobalStep();
    globalStep.value = step;
    const v = variable([0], { dtype: 'float64' });
    const optimizer = new GradientDescentOptimizer({ learningRate: decayAt(globalStep) });
    optimizer.applyGradients([[tensor([-1], undefined, 'float64'), v]]);
    close(v.toArray(), [values[i] as number], `move at step ${step}`);
  });
}

function runPiecewiseConstant(run: TfRun): void {
  const { inputs, args, expected } = run;
  const boundaries = args.required<number[]>('boundaries');
  const values = args.required<unknown[]>('values');
  if (expected.optional<string>('error') === undefined) {
    return expectValues(run, (globalStep) => functionOf('piecewise_constant')(globalStep, boundaries, values));
  }
  // Values of different dtypes, which are no numbers as they stand; numbers of one type are all that there is here.
  inputs.required('x_dtype');
  const [step] = inputs.required<number[]>('global_step');
  expect(() => functionOf('piecewise_constant')(step, boundaries, values)).to.throw(TypeError, 'values');
}

export const scheduleRunners: Readonly<Record<string, TfRunner>> = {
  ...Object.fromEntries(Object.keys(decays).map((op) => [op, runDecay])),
  piecewise_constant: runPiecewiseConstant,
};
