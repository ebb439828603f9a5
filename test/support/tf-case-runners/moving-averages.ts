import { expect } from 'chai';
import {
  assignMovingAverage,
  ExponentialMovingAverage,
  tensor,
  variable,
  weightedMovingAverage,
  type Averaged,
  type ExponentialMovingAverageOptions,
  type Nested,
  type Variable,
} from 'gradstep';
import { decodeTensor, type Encoded, type TfRun, type TfRunner } from '../tf-cases';

type Arrays = Readonly<Record<string, Encoded>>;
interface Checkpoint {
  readonly step: number;
  readonly averages: Arrays;
}

function runAverage({ inputs, args, expected, steps, dtype, close }: TfRun): void {
  const vars = Object.fromEntries(
    Object.entries(inputs.required<Arrays>('vars')).map(([name, value]) => [
      name,
      variable(decodeTensor(value, dtype), { name }),
    ]),
  );
  const named = Object.entries(inputs.optional<Arrays>('tensors') ?? {});
  const assignments = inputs.optional<(Record<string, Nested> | null)[]>('assign_before_apply') ?? [];
  const numUpdates = args.optional<number | null>('num_updates');
  const zeroDebias = args.optional<boolean>('zero_debias');
  const options: ExponentialMovingAverageOptions = {
    ...(typeof numUpdates === 'number' ? { numUpdates } : {}),
    ...(zeroDebias === undefined ? {} : { zeroDebias }),
  };
  const averages = new ExponentialMovingAverage(args.required<number>('decay'), options);
  const of = (name: string): Variable | string => vars[name] ?? name;
  const checkpoints = expected.required<Checkpoint[]>('after');
  for (let step = 0; step < steps!; step++) {
    for (const [name, value] of Object.entries(assignments[step] ?? {})) vars[name]!.assign(value);
    const values = named.map(([name, value]): Averaged => [name, decodeTensor(value, dtype)]);
    averages.apply([...Object.values(vars), ...values]);
    const checkpoint = checkpoints.find((one) => one.step === step + 1);
    for (const [name, value] of Object.entries(checkpoint?.averages ?? {})) {
      close(averages.average(of(name))!.toArray(), value, `average of ${name} after step ${step + 1}`);
    }
  }
  const names = expected.optional<Record<string, string>>('average_names') ?? {};
  for (const [name, averageName] of Object.entries(names)) expect(averages.averageName(of(name))).to.equal(averageName);
  expectInitial(expected.optional<Arrays>('initial'), of, vars);
}

/** What averages start from shows when nothing is added: with a decay of 1. */
function expectInitial(
  initial: Arrays | undefined,
  of: (name: string) => Variable | string,
  vars: Readonly<Record<string, Variable>>,
): void {
  if (initial === undefined) return;
  const averages = new ExponentialMovingAverage(1);
  const others = Object.keys(initial).filter((name) => !(name in vars));
  averages.apply([
    ...Object.values(vars),
    ...others.map((name): Averaged => [name, decodeTensor(initial[name]!, 'float32')]),
  ]);
  for (const [name, value] of Object.entries(initial)) {
    expect(averages.average(of(name))!.toArray()).to.deep.equal(value);
  }
}

function runAssign({ inputs, args, expected, steps, dtype, close }: TfRun): void {
  const v = variable(decodeTensor(inputs.required('variable'), dtype));
  const value = decodeTensor(inputs.required('value'), dtype);
  const zeroDebias = args.required<boolean>('zero_debias');
  const decay = args.required<number>('decay');
  for (let step = 0; step < steps!; step++) assignMovingAverage(v, value, decay, { zeroDebias });
  close(v.toArray(), expected.required('variable'), 'variable');
}

function runWeighted({ inputs, args, expected, steps, dtype, close }: TfRun): void {
  const [values, weights] = [inputs.required<number[]>('values'), inputs.required<number[]>('weights')];
  let step = 0;
  const average = weightedMovingAverage(
    () => tensor(values[step]!, undefined, dtype),
    args.required<number>('decay'),
    () => weights[step]!,
  );
  const outputs = expected.required<number[]>('outputs');
  for (; step < steps!; step++) close(average().toArray(), outputs[step]!, `output of step ${step + 1}`);
}

export const movingAverageRunners: Readonly<Record<string, TfRunner>> = {
  ExponentialMovingAverage: runAverage,
  assign_moving_average: runAssign,
  weighted_moving_average: runWeighted,
};
