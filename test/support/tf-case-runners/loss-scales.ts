import { expect } from 'chai';
import {
  customGradient,
  DynamicLossScale,
  FixedLossScale,
  GradientDescentOptimizer,
  LossScale,
  MixedPrecisionLossScaleOptimizer,
  MomentumOptimizer,
  ops,
  variable,
  type DynamicLossScaleOptions,
  type Optimizer,
  type Tensor,
} from 'gradstep';
import type { Fields } from '../fields';
import { decodeTensor, type Encoded, type TfRun, type TfRunner } from '../tf-cases';

type Given = number | Record<string, number>;

const numbers = ['initial_loss_scale', 'increment_period', 'multiplier'] as const;

function dynamicScale(args: Readonly<Record<string, number>>): DynamicLossScale {
  const options: DynamicLossScaleOptions = {
    initialLossScale: args['initial_loss_scale']!,
    incrementPeriod: args['increment_period']!,
    multiplier: args['multiplier']!,
  };
  return new DynamicLossScale(options);
}

function scaleOf(op: string, args: Fields): LossScale {
  if (op === 'FixedLossScale') return new FixedLossScale(args.required<number>('loss_scale_value'));
  return dynamicScale(Object.fromEntries(numbers.map((name) => [name, args.required<number>(name)])));
}

function runScale({ op, inputs, args, expected, steps, dtype, close }: TfRun): void {
  const scale = scaleOf(op, args);
  const updates = inputs.required<Encoded[][]>('grads_per_update');
  expect(updates.length).to.equal(steps);
  const accepted = updates.map((gradients, i) => {
    const result = scale.update(gradients.map((gradient) => decodeTensor(gradient, dtype)));
    close(scale.value, expected.required<number[]>('loss_scale')[i]!, `loss scale after update ${i + 1}`);
    return result;
  });
  expect(accepted).to.deep.equal(expected.required('should_apply'));
}

const inner: Readonly<Record<string, () => Optimizer>> = {
  'GradientDescentOptimizer(2.0)': () => new GradientDescentOptimizer({ learningRate: 2 }),
  'MomentumOptimizer(1.0, momentum=1.0)': () => new MomentumOptimizer({ learningRate: 1, momentum: 1 }),
};

/** The same value; what arrives at it on the way back is noted. */
const watched = (x: Tensor, seen: number[]): Tensor =>
  customGradient<[Tensor]>((y) => ({
    value: y,
    gradient: (dy) => {
      seen.push(dy.data[0]!);
      return [dy];
    },
  }))(x);

function runOptimizer(run: TfRun): void {
  const { inputs, args, expected, steps, via, dtype, close } = run;
  expect(via).to.equal('minimize');
  const given = args.required<Given>('loss_scale');
  const scale = typeof given === 'number' ? LossScale.get(given) : dynamicScale(given);
  const optimizer = new MixedPrecisionLossScaleOptimizer(inner[inputs.required<string>('inner')]!(), scale);
  const { var0 } = inputs.required<{ var0: Encoded }>('vars');
  const v = variable(decodeTensor(var0, dtype), { name: 'var0' });
  const plus = { var0: 0, 'var0 + 1': 1 }[inputs.required<'var0' | 'var0 + 1'>('loss')];
  const seen: number[] = [];
  const state = { scales: [] as number[], steps: [] as number[] };
  const checkpoints = expected.optional<{ step: number; vars: { var0: Encoded } }[]>('after') ?? [];
  for (let step = 1; step <= steps!; step++) {
    optimizer.minimize(() => ops.add(watched(ops.mul(v, 1), seen), plus));
    const checkpoint = checkpoints.find((one) => one.step === step);
    if (checkpoint !== undefined) close(v.toArray(), checkpoint.vars.var0, `var0 after step ${step}`);
    state.scales.push(scale.value);
    if (scale instanceof DynamicLossScale) state.steps.push(scale.goodSteps);
  }
  const gradients = expected.optional<number[]>('gradient_seen_by_loss');
  if (gradients !== undefined) close(seen, gradients, 'gradient seen by the loss');
  const scales = expected.optional<number[]>('loss_scale');
  if (scales !== undefined) expect(state.scales).to.deep.equal(scales);
  const goodSteps = expected.optional<number[]>('num_good_steps');
  if (goodSteps !== undefined) expect(state.steps).to.deep.equal(goodSteps);
}

export const lossScaleRunners: Readonly<Record<string, TfRunner>> = {
  FixedLossScale: runScale,
  DynamicLossScale: runScale,
  MixedPrecisionLossScaleOptimizer: runOptimizer,
};
