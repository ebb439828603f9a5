import { expect } from 'chai';
import * as gradstep from 'gradstep';
import type { IndexedSlices } from 'gradstep';
import {
  GlobalStep,
  variable,
  type GradientAndVariable,
  type Nested,
  type Optimizer,
  type Tensor,
  type Variable,
} from 'gradstep';
import { Fields } from '../fields';
import {
  decodeGradient,
  decodeNested,
  decodeTensor,
  isSlices,
  type Encoded,
  type EncodedSlices,
  type TfRun,
  type TfRunner,
} from '../tf-cases';
import { losses } from './losses';

/** The arguments that the cases give to each class: others would be lost on it. */
const argumentsOf = {
  AdadeltaOptimizer: ['learning_rate', 'rho', 'epsilon'],
  AdagradDAOptimizer: [
    'learning_rate',
    'initial_gradient_squared_accumulator_value',
    'l1_regularization_strength',
    'l2_regularization_strength',
  ],
  AdagradOptimizer: ['learning_rate', 'initial_accumulator_value', 'use_locking'],
  AdamOptimizer: ['learning_rate', 'beta1', 'beta2', 'epsilon'],
  FtrlOptimizer: [
    'learning_rate',
    'learning_rate_power',
    'initial_accumulator_value',
    'l1_regularization_strength',
    'l2_regularization_strength',
    'l2_shrinkage_regularization_strength',
  ],
  GradientDescentOptimizer: ['learning_rate'],
  MomentumOptimizer: ['learning_rate', 'momentum', 'use_nesterov'],
  ProximalAdagradOptimizer: [
    'learning_rate',
    'initial_accumulator_value',
    'l1_regularization_strength',
    'l2_regularization_strength',
  ],
  ProximalGradientDescentOptimizer: ['learning_rate', 'l1_regularization_strength', 'l2_regularization_strength'],
  RMSPropOptimizer: ['learning_rate', 'decay', 'momentum', 'epsilon', 'centered'],
} as const;

// What the notes of a case say in words.
const withFunctions = ['sgd/callable_lr', 'rmsprop/callable_params'];
const withVariablesAsGradients = ['optimizer/gradients_as_variables'];
const runsOf: Readonly<Record<string, number>> = { 'adagrad/sparse_stability': 100 };

type Gradients = Readonly<Record<string, Encoded>>;
type Arrays = Readonly<Record<string, Encoded>>;

/** Everything a case works with. */
interface Setting {
  readonly run: TfRun;
  readonly vars: Readonly<Record<string, Variable>>;
  readonly optimizer: Optimizer;
  readonly globalStep: GlobalStep | undefined;
}

export const optimizerRunners: Readonly<Record<string, TfRunner>> = Object.fromEntries(
  Object.keys(argumentsOf).map((op) => [op, runOptimizer]),
);

function runOptimizer(run: TfRun): void {
  const { inputs, expected, via } = run;
  expect(via).to.be.oneOf([undefined, 'apply_gradients', 'minimize', 'kernel']);
  const error = expected.optional<string>('error');
  for (let i = 0; i < (runsOf[run.name] ?? 1); i++) {
    const setting = settingOf(run);
    const step = via === 'minimize' ? minimizer(setting) : applier(setting, gradientsPerStep(run));
    if (error !== undefined) return expectError(step, error, expected);
    after(setting, step);
  }
  const same = expected.optional<Gradients>('same_as_grads');
  if (same !== undefined) {
    const setting = settingOf(run);
    after(
      setting,
      applier(setting, () => same),
    );
  }
  if (via === 'minimize') inputs.required('loss');
}

function settingOf(run: TfRun): Setting {
  const { inputs, dtype } = run;
  const initial = inputs.required<Arrays>('vars');
  const vars = Object.fromEntries(
    Object.entries(initial).map(([name, value]) => [name, variable(decodeTensor(value, dtype), { name })]),
  );
  const start = inputs.optional<number>('global_step');
  const globalStep = start === undefined ? undefined : new GlobalStep();
  if (globalStep !== undefined) globalStep.value = start!;
  const optimizer = create(run, globalStep);
  const slots = inputs.optional<Record<string, Arrays>>('slots') ?? {};
  const nonSlots = inputs.optional<Arrays>('non_slots') ?? {};
  optimizer.createSlots(Object.keys(slots).map((name) => vars[name]!));
  if (Object.keys(nonSlots).length > 0) optimizer.createSlots(Object.values(vars));
  for (const [name, values] of Object.entries(slots)) {
    for (const [slot, value] of Object.entries(values)) {
      optimizer.getSlot(vars[name]!, slot)!.assign(decodeNested(value));
    }
  }
  for (const [name, value] of Object.entries(nonSlots)) nonSlot(optimizer, name).assign(decodeNested(value));
  return { run, vars, optimizer, globalStep };
}

function create({ op, name, args }: TfRun, globalStep: GlobalStep | undefined): Optimizer {
  const options: Record<string, unknown> = op === 'AdagradDAOptimizer' ? { globalStep } : {};
  for (const argument of argumentsOf[op as keyof typeof argumentsOf]) {
    const value = args.optional<number | boolean>(argument);
    if (value === undefined) continue;
    options[camelCase(argument)] = withFunctions.includes(name) ? () => value : value;
  }
  const Class = gradstep[op as keyof typeof gradstep] as unknown as new (options: unknown) => Optimizer;
  return new Class(options);
}

const camelCase = (name: string) => name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

function gradientsPerStep({ inputs }: TfRun): (step: number) => Gradients {
  const perStep = inputs.optional<Record<string, Encoded[]>>('grads_per_step');
  if (perStep === undefined) {
    const gradients = inputs.required<Gradients>('grads');
    return () => gradients;
  }
  return (step) => Object.fromEntries(Object.entries(perStep).map(([name, gradients]) => [name, gradients[step]!]));
}

function applier({ run, vars, optimizer, globalStep }: Setting, gradients: (step: number) => Gradients) {
  return (step: number) => {
    const pairs = Object.entries(gradients(step)).map(([name, value]): GradientAndVariable => {
      const gradient = decodeGradient(value, run.dtype);
      const given = withVariablesAsGradients.includes(run.name) ? variable(gradient as Tensor) : gradient;
      return [given as Tensor | null, vars[name]!];
    });
    optimizer.applyGradients(pairs, globalStep ? { globalStep } : {});
  };
}

function minimizer({ run, vars, optimizer, globalStep }: Setting) {
  const { inputs, dtype } = run;
  const words = inputs.required<string>('loss');
  const lossOf = losses[words];
  if (lossOf === undefined) throw new Error(`the loss '${words}' has no closure in losses.ts`);
  const loss = () => lossOf(vars, dtype);
  const varList = inputs.optional<string[]>('var_list')?.map((name) => vars[name]!);
  const gradLoss = inputs.optional<Encoded>('grad_loss');
  const options = {
    ...(varList && { varList }),
    ...(gradLoss !== undefined && { gradLoss: decodeTensor(gradLoss, dtype) }),
  };
  const expected = inputs.optional<Gradients>('grads');
  return () => {
    if (expected !== undefined) {
      for (const [gradient, { name }] of optimizer.computeGradients(loss, options)) {
        expectGradient(run, gradient!, expected[name]!, name);
      }
    }
    optimizer.minimize(loss, globalStep ? { ...options, globalStep } : options);
  };
}

function expectGradient({ close }: TfRun, actual: Tensor | IndexedSlices, expected: Encoded, name: string): void {
  if (!isSlices(expected)) return close((actual as Tensor).toArray(), expected, `gradient of ${name}`);
  const { values, indices }: EncodedSlices['indexed_slices'] = expected.indexed_slices;
  const slices = actual as IndexedSlices;
  expect([...slices.indices], `indices of the gradient of ${name}`).to.deep.equal(indices);
  close(slices.values.toArray(), values, `gradient of ${name}`);
}

function expectError(step: (step: number) => void, error: string, expected: Fields): void {
  expect(error).to.equal('ValueError');
  expect(() => step(0)).to.throw(Error, new RegExp(expected.required<string>('message_matches')));
}

/** Runs the steps and compares what each checkpoint tells. */
function after(setting: Setting, step: (step: number) => void): void {
  const { run, optimizer } = setting;
  const checkpoints = run.expected.required<Record<string, unknown>[]>('after');
  for (let i = 0; i < run.steps!; i++) {
    step(i);
    for (const checkpoint of checkpoints.filter((at) => at['step'] === i + 1)) {
      expectCheckpoint(setting, new Fields(`${run.name} after step ${i + 1}`, checkpoint));
    }
  }
  expect(checkpoints.every((at) => Number(at['step']) <= run.steps!)).to.equal(true);
  const slotNames = run.expected.optional<string[]>('slot_names');
  if (slotNames !== undefined) expect(optimizer.getSlotNames()).to.deep.equal([...slotNames].sort());
  const count = run.expected.optional<number>('optimizer_variables');
  if (count !== undefined) expect(optimizer.variables()).to.have.length(count);
}

function expectCheckpoint({ run: { close }, vars, optimizer, globalStep }: Setting, checkpoint: Fields): void {
  const step = checkpoint.required<number>('step');
  const compare = (actual: Variable, expected: Encoded, what: string) =>
    close(actual.toArray(), expected, `${what} after step ${step}`);
  for (const [name, value] of Object.entries(checkpoint.optional<Arrays>('vars') ?? {})) {
    compare(vars[name]!, value, name);
  }
  for (const [name, slots] of Object.entries(checkpoint.optional<Record<string, Arrays>>('slots') ?? {})) {
    for (const [slot, value] of Object.entries(slots)) {
      compare(optimizer.getSlot(vars[name]!, slot)!, value, `${slot} of ${name}`);
    }
  }
  for (const [name, value] of Object.entries(checkpoint.optional<Record<string, Nested>>('non_slots') ?? {})) {
    compare(nonSlot(optimizer, name), value, name);
  }
  const count = checkpoint.optional<number>('global_step');
  if (count !== undefined) expect(globalStep!.value).to.equal(count);
  checkpoint.done();
}

function nonSlot(optimizer: Optimizer, name: string): Variable {
  const found = optimizer.variables().find((variable) => variable.name === name);
  if (found === undefined) throw new Error(`the optimizer has no ${name}`);
  return found;
}
