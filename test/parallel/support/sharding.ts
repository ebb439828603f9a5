import {
  clipByAverageNorm,
  clipByGlobalNorm,
  clipByNorm,
  clipByValue,
  createGlobalStep,
  GradientAccumulator,
  IndexedSlices,
  ops,
  tensor,
  variable,
  type Gradient,
  type GlobalStep,
  type Optimizer,
  type StepClip,
  type Tensor,
  type Variable,
} from 'gradstep';
import { makers } from './takeover';

/** Some variables, what they are stepped with, and by how many steps. */
export interface Scenario {
  readonly maker: string;
  readonly seed: number;
  readonly variables: readonly {
    readonly shape: readonly number[];
    readonly dtype: 'float32' | 'float64';
    /** What its gradients are: rows of it, now and then all; none on some ranks. */
    readonly gradients: 'dense' | 'rows' | 'some';
  }[];
  readonly clip?: StepClip;
  readonly steps: number;
}

export interface Trained {
  readonly variables: readonly Variable[];
  readonly optimizer: Optimizer;
  readonly globalStep: GlobalStep;
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, length) => product * length, 1);

/** Cheap numbers that look like nothing. */
export function numbers(seed: number, length: number, dtype: 'float32' | 'float64'): Float32Array | Float64Array {
  const array = dtype === 'float32' ? new Float32Array(length) : new Float64Array(length);
  let state = (seed * 2654435761 + 12345) >>> 0;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    array[i] = state / 2 ** 31 - 1;
  }
  return array;
}

export function begin({ maker, seed, variables: forms }: Scenario): Trained {
  const variables = forms.map(({ shape, dtype }, i) => {
    return variable(numbers(seed + i, sizeOf(shape), dtype), { name: `v${(7 * i) % 10}-${i}`, shape, dtype });
  });
  const globalStep = createGlobalStep();
  return { variables, globalStep, optimizer: makers[maker]!(globalStep, variables) };
}

/** What a rank has for a step. */
export function gradients(scenario: Scenario, { variables }: Trained, step: number, rank: number) {
  return variables.map((one, i): [Gradient | null, Variable] => {
    const { dtype, shape } = one;
    const { gradients: what } = scenario.variables[i]!;
    const seed = scenario.seed + 1000 * step + 100 * rank + i;
    if (what === 'some' && (rank + step) % 2 === 0) return [null, one];
    if (what !== 'rows' || shape.length === 0 || shape[0] === 0) {
      return [tensor(numbers(seed, one.size, dtype), [...shape]), one];
    }
    const rows = shape[0]!;
    const indices = Int32Array.of(seed % rows, (3 * seed) % rows, seed % rows, rows - 1);
    const values = numbers(seed, indices.length * (one.size / rows), dtype);
    return [new IndexedSlices(tensor(values, [indices.length, ...shape.slice(1)]), indices, shape), one];
  });
}

/** A loss that has these gradients. */
export function lossOf(pairs: readonly [Gradient | null, Variable][]): Tensor {
  const terms = pairs.flatMap(([gradient, one]) => {
    if (gradient === null) return [];
    const isSparse = gradient instanceof IndexedSlices;
    const [x, g] = isSparse ? [ops.gather(one, gradient.indices), gradient.values] : [one, gradient];
    return [ops.cast(ops.reduceSum(ops.mul(x, g)), 'float32')];
  });
  return terms.slice(1).reduce<Tensor>((sum, term) => ops.add(sum, term), terms[0]!);
}

/** The mean over ranks, as one process has it. */
export function meanOf(scenario: Scenario, trained: Trained, step: number, ranks: number) {
  const accumulator = new GradientAccumulator();
  for (let rank = 0; rank < ranks; rank++) {
    const pairs = gradients(scenario, trained, step, rank);
    accumulator.add(pairs);
  }
  return accumulator.take();
}

export function clipped(pairs: [Gradient | null, Variable][], clip: StepClip | undefined) {
  if (clip === undefined) return pairs;
  if ('globalNorm' in clip) return clipByGlobalNorm(pairs, clip.globalNorm)[0];
  return pairs.map(([gradient, one]): [Gradient | null, Variable] => {
    if (gradient === null) return [null, one];
    if ('value' in clip) return [clipByValue(gradient, -clip.value, clip.value), one];
    return ['norm' in clip ? clipByNorm(gradient, clip.norm) : clipByAverageNorm(gradient, clip.averageNorm), one];
  });
}

/** Steps in one process, which has all state. */
export function trainAlone(scenario: Scenario, ranks: number): Trained {
  const trained = begin(scenario);
  for (let step = 0; step < scenario.steps; step++) stepAlone(scenario, trained, step, ranks);
  return trained;
}

export function stepAlone(scenario: Scenario, trained: Trained, step: number, ranks: number): void {
  const pairs = clipped([...meanOf(scenario, trained, step, ranks)], scenario.clip);
  trained.optimizer.applyGradients(pairs, { globalStep: trained.globalStep });
}

/** All bytes of state, by key. */
export function stateOf({ variables, optimizer, globalStep }: Trained): Record<string, Uint8Array> {
  const entries = [...variables, optimizer, globalStep].flatMap((part) => part.state());
  return Object.fromEntries(entries.map(({ key, memory }) => [key, bytesOf(memory)]));
}

export const bytesOf = (memory: ArrayBufferView): Uint8Array =>
  Uint8Array.from(new Uint8Array(memory.buffer, memory.byteOffset, memory.byteLength));
