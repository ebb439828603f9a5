import { formatNumber, native, taskKind, type Binding, type FamilyTask, type TaskArray } from '../native';
import type { FloatArray, TensorArray, TensorDType } from './dtype';
import type { Memory } from './memory';

// How values come about: at once, or in a program that is being put together. Ops call `kernels`, which computes, or in a
// trace notes what is to be computed. Of memory that has its values only in a run JavaScript can read none.

type Native =
  | 'unary'
  | 'binary'
  | 'binaryBroadcast'
  | 'permute'
  | 'sum'
  | 'softmax'
  | 'logSoftmax'
  | 'softmaxGradient'
  | 'logSoftmaxGradient'
  | 'softmaxCrossEntropy'
  | 'sparseSoftmaxCrossEntropy'
  | 'scaleRows'
  | 'gather'
  | 'scatterAdd'
  | 'gemm'
  | 'addN'
  | 'addScaled'
  | 'scale'
  | 'clipByValue'
  | 'randomUniform'
  | 'randomNormal'
  | 'randomBernoulli'
  | 'dropout';

/** What a task has beside its arrays. */
export interface TaskParts {
  /** How many of the arrays are written: the first ones. Default: 1. */
  readonly writes?: number;
  readonly option?: number;
  readonly sizes?: readonly number[];
  readonly numbers?: readonly number[];
  /** Further whole numbers. */
  readonly items?: readonly number[];
}

/** What ops compute with. Arrays come from `operand` of tensors and memories, and `out` is written. */
export interface Kernels extends Pick<Binding, Native> {
  fill(out: TensorArray, value: number): void;
  /** out = x, which is as long and of the same kind. */
  copy(out: TensorArray, x: TensorArray): void;
  /** Every element of out = that of x, which has one. */
  repeat(out: FloatArray, x: FloatArray): void;
  /** out, which has one element = scale times the sum of the squares of x, in double precision. */
  sumOfSquares(out: FloatArray, x: FloatArray, scale: number): void;
  /** Lists of indices, one after the other. */
  concatenate(lists: readonly Int32Array[]): Int32Array;
  /** A task of a family, as native/drivers/tasks says; undefined for an array that it can do without. */
  task(kind: FamilyTask, dtype: TensorDType, arrays: readonly (TaskArray | undefined)[], parts: TaskParts): void;
}

// What the addon is told of a task, which it reads before it does anything. An array for each length, to be written again:
// one of more than eight numbers has memory outside of V8's heap, and a new one would take longer than a small task.
const lists: Float64Array[] = [];
const keptLists = 64;

function listOf(...parts: readonly (readonly number[])[]): Float64Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const list = length < keptLists ? (lists[length] ??= new Float64Array(length)) : new Float64Array(length);
  let i = 0;
  for (const part of parts) for (const value of part) list[i++] = value;
  return list;
}

/* eslint-disable @typescript-eslint/unbound-method -- the addon's functions have no `this` */
const computing: Kernels = {
  unary: native.unary,
  binary: native.binary,
  binaryBroadcast: native.binaryBroadcast,
  permute: native.permute,
  sum: native.sum,
  softmax: native.softmax,
  logSoftmax: native.logSoftmax,
  softmaxGradient: native.softmaxGradient,
  logSoftmaxGradient: native.logSoftmaxGradient,
  softmaxCrossEntropy: native.softmaxCrossEntropy,
  sparseSoftmaxCrossEntropy: native.sparseSoftmaxCrossEntropy,
  scaleRows: native.scaleRows,
  gather: native.gather,
  scatterAdd: native.scatterAdd,
  gemm: native.gemm,
  addN: native.addN,
  addScaled: native.addScaled,
  scale: native.scale,
  clipByValue: native.clipByValue,
  randomUniform: native.randomUniform,
  randomNormal: native.randomNormal,
  randomBernoulli: native.randomBernoulli,
  dropout: native.dropout,
  fill: (out, value) => void out.fill(value),
  copy: (out, x) => out.set(x),
  repeat: (out, x) => void out.fill(x[0]!),
  sumOfSquares: (out, x, scale) => void (out[0] = native.sumOfSquares([x]) * scale),
  concatenate: (lists) => {
    const all = new Int32Array(lists.reduce((sum, { length }) => sum + length, 0));
    let offset = 0;
    for (const list of lists) {
      all.set(list, offset);
      offset += list.length;
    }
    return all;
  },
  task: (kind, dtype, arrays, { option = 0, sizes = [], numbers = [], items = [] }) => {
    native.runTask(taskKind[kind], formatNumber[dtype], option, listOf(sizes, numbers, items), ...arrays);
  },
};
/* eslint-enable @typescript-eslint/unbound-method */

/** Draws of a generator, as they are in each run. */
export interface TracedDraws {
  /** Draws, and says how to take that back, which is done unless something else has been drawn since. */
  take(): { readonly draw: TracedDraw; readonly putBack: () => void };
}

/** What kernels make random numbers of. */
export interface TracedDraw {
  readonly key: number;
  readonly stream: number;
  readonly counter: number;
}

/** What a program that is being put together wants to know. */
export interface Trace {
  readonly kernels: Kernels;
  /** Memory for a value that the program computes. */
  take<D extends TensorDType>(dtype: D, length: number): Memory<D>;
  /** A kernel is about to be given this memory. */
  use(memory: Memory<TensorDType>, array: TensorArray): void;
  /** What stands for the indices in this memory: a list that comes with each run, or what the program computes. */
  indicesIn(memory: Memory<'int32'>): Int32Array;
  /** Something is drawn in each run: what stands for it, for kernels and for nobody else. */
  draw(source: TracedDraws): TracedDraw;
  /** A variable is read: what it holds is another thing in each run. */
  read(memory: Memory): void;
  /** All of a variable is written. @throws Error where its memory could be taken away meanwhile. */
  store(memory: Memory, x: FloatArray): void;
}

/** What ops compute with at the moment. */
export let kernels: Kernels = computing;

/** The program that is being put together, if any. */
export let trace: Trace | null = null;

/** Runs `f` with everything that kernels are called for noted in `by`. */
export function tracing<T>(by: Trace, f: () => T): T {
  if (trace !== null) throw new Error('a step is being compiled already');
  trace = by;
  kernels = by.kernels;
  try {
    return f();
  } finally {
    trace = null;
    kernels = computing;
  }
}

/** @throws Error that says what was read, and by whom, of what has a value only in a run. */
export function refuseInTrace(what: string): never {
  throw new Refusal(`${what} cannot be part of what is compiled${callersPlace()}`);
}

/** What cannot be part of a program. */
export class Refusal extends Error {
  override readonly name = 'Error';
}

// `dist` in a package and a clone, `lib` where source maps are in use.
const library = (frame: string): string | undefined =>
  /\(?((?:file:\/\/)?[^()]*?[\\/])(?:dist|lib)[\\/][^()]*:\d+:\d+\)?$/.exec(frame)?.[1];
const own = library(new Error().stack?.split('\n')[1] ?? '');

/** The first line of the stack that is not the library's own, as the end of a sentence. */
export function callersPlace(): string {
  const frames = (new Error().stack ?? '').split('\n').slice(1);
  const user = own === undefined ? undefined : frames.find((frame) => library(frame) !== own);
  return user === undefined ? '' : `: it happens ${user.trim().replace(/^at /, 'at ')}`;
}
