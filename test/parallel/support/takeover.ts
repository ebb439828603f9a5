import {
  AdamOptimizer,
  createGlobalStep,
  DynamicLossScale,
  ExponentialMovingAverage,
  IndexedSlices,
  MixedPrecisionLossScaleOptimizer,
  tensor,
  variable,
  type AveragesHandle,
  GlobalStep,
  type GlobalStepHandle,
  type Optimizer,
  type OptimizerHandle,
  Variable,
  type VariableHandle,
} from 'gradstep';
import { middling, optimizerCases } from '../../support/optimizer-cases';

// Steps that two threads make in turn, each with objects of its own over the same memory.

/** All that a thread steps with. */
export interface Run {
  readonly variables: readonly Variable[];
  readonly optimizer: Optimizer;
  readonly globalStep: GlobalStep;
  readonly averages: ExponentialMovingAverage;
}

export interface RunHandles {
  readonly variables: readonly VariableHandle[];
  readonly optimizer: OptimizerHandle;
  readonly globalStep: GlobalStepHandle;
  readonly averages: AveragesHandle;
}

/** Optimizers by their names: each is made of a step counter, if it needs one. */
export const makers: Readonly<Record<string, (globalStep: GlobalStep, variables: readonly Variable[]) => Optimizer>> = {
  ...Object.fromEntries(
    optimizerCases.map((each) => [
      each.name,
      (globalStep: GlobalStep) => each.create(middling(each), globalStep).optimizer,
    ]),
  ),
  'Adam, in groups': (_, variables) =>
    new AdamOptimizer({ groups: [{ variables: variables.slice(1), learningRate: 0.1, beta1: 0.5 }] }),
  'Adam, with a dynamic loss scale': () =>
    new MixedPrecisionLossScaleOptimizer(
      new AdamOptimizer(),
      new DynamicLossScale({ initialLossScale: 4, incrementPeriod: 2 }),
    ),
};

export function begin(name: string): Run {
  const variables = [
    variable(noise(0, 7), { name: 'w' }),
    variable(noise(1, 12), { name: 'table', shape: [4, 3] }),
    variable(Float64Array.from(noise(2, 3)), { name: 'precise' }),
  ];
  const globalStep = createGlobalStep();
  const averages = new ExponentialMovingAverage(0.9, { zeroDebias: true });
  return { variables, globalStep, averages, optimizer: makers[name]!(globalStep, variables) };
}

export function handlesOf({ variables, optimizer, globalStep, averages }: Run): RunHandles {
  return {
    variables: variables.map((one) => one.share()),
    optimizer: optimizer.share(variables),
    globalStep: globalStep.share(),
    averages: averages.share(),
  };
}

export function takeOver(name: string, handles: RunHandles): Run {
  const variables = handles.variables.map((handle) => Variable.from(handle));
  const globalStep = GlobalStep.from(handles.globalStep);
  const optimizer = makers[name]!(globalStep, variables).adopt(handles.optimizer, variables);
  const averages = new ExponentialMovingAverage(0.9, { zeroDebias: true }).adopt(handles.averages, variables);
  return { variables, optimizer, globalStep, averages };
}

/** Step number i, the same in each thread. The table's gradient is sparse, or dense as the others'. */
export function step({ variables, optimizer, globalStep, averages }: Run, i: number, isSparse: boolean): void {
  const [w, table, precise] = variables;
  const rows = new IndexedSlices(tensor(noise(i + 20, 9), [3, 3]), [i % 4, 3, i % 4], [4, 3]);
  const all = tensor(noise(i + 20, 12), [4, 3]);
  optimizer.applyGradients(
    [
      [noise(i + 10, 7), w!],
      [isSparse ? rows : all, table!],
      [Float64Array.from(noise(i + 30, 3)), precise!],
    ],
    { globalStep },
  );
  averages.apply([w!, precise!, ['seen', tensor(noise(i, 2))]]);
}

/** All bytes of a run's state. */
export function bytesOf({ variables, optimizer, globalStep, averages }: Run): Record<string, string> {
  const entries = [...variables, optimizer, globalStep, averages].flatMap((part) => part.state());
  return Object.fromEntries(entries.map(({ key, memory }) => [key, hex(memory)]));
}

export const hex = (memory: ArrayBufferView): string =>
  Buffer.from(memory.buffer, memory.byteOffset, memory.byteLength).toString('hex');

/** Numbers that look like nothing, the same for each i. */
export function noise(i: number, length: number): Float32Array {
  return Float32Array.from({ length }, (_, k) => Math.sin(12.9898 * (i + 1) + 78.233 * (k + 1)) * 2);
}
