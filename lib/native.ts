import { open } from './loader/addon';
import type { FloatArray } from './tensor/dtype';

/** One native update rule, as its C++ functor declares itself. */
export interface Rule {
  readonly id: number;
  readonly name: string;
  readonly slots: readonly string[];
  readonly hyper: readonly string[];
}

/**
 * The addon. Every array of one call has one dtype; `out` is written, everything else read. The addon checks kinds
 * and lengths, so that no call can reach past an array; what the numbers mean is checked by its callers.
 */
export interface Binding {
  /** That of the package it was built for. */
  readonly version: string;
  isa(): string;
  availableIsas(): string[];
  useIsa(name: string): boolean;
  threads(): number;
  setThreads(n: number): void;
  readonly maxThreads: number;

  /** What arrays of numbers are stored as; native code calls each by its place in this list. */
  readonly formats: readonly string[];

  readonly unaryFunctions: readonly string[];
  readonly binaryFunctions: readonly string[];
  unary(f: number, out: FloatArray, x: FloatArray): void;
  /** a and b have out's length, or one of them a single element. */
  binary(f: number, out: FloatArray, a: FloatArray, b: FloatArray): void;
  /** layout: dims, strides of a, strides of b (0 repeats), each as many as there are dims; innermost last, 0 or 1. */
  binaryBroadcast(f: number, out: FloatArray, a: FloatArray, b: FloatArray, layout: Float64Array): void;
  /** layout: dims of out, strides of x. */
  permute(out: FloatArray, x: FloatArray, layout: Float64Array): void;
  /** x is [outer, reduced, inner], out is [outer, inner]. */
  sum(out: FloatArray, x: FloatArray, outer: number, reduced: number, inner: number, scale: number): void;
  softmax(out: FloatArray, x: FloatArray, columns: number): void;
  logSoftmax(out: FloatArray, x: FloatArray, columns: number): void;
  softmaxGradient(dx: FloatArray, dy: FloatArray, y: FloatArray, columns: number): void;
  logSoftmaxGradient(dx: FloatArray, dy: FloatArray, y: FloatArray, columns: number): void;
  /** Writes loss [rows] and backprop [rows, columns] = d loss / d logits. */
  softmaxCrossEntropy(
    loss: FloatArray,
    backprop: FloatArray,
    labels: FloatArray,
    logits: FloatArray,
    columns: number,
  ): void;
  sparseSoftmaxCrossEntropy(
    loss: FloatArray,
    backprop: FloatArray,
    labels: Int32Array,
    logits: FloatArray,
    columns: number,
  ): void;
  /** out[row] = x[row] * factors[row]. */
  scaleRows(out: FloatArray, x: FloatArray, factors: FloatArray): void;
  /** params is [rows, columns]. */
  gather(out: FloatArray, params: FloatArray, indices: Int32Array, rows: number, columns: number): void;
  /** out is [rows, columns]; out[indices[i]] += values[i] * factor. */
  scatterAdd(
    out: FloatArray,
    values: FloatArray,
    indices: Int32Array,
    rows: number,
    columns: number,
    factor: number,
  ): void;
  /** out [m, n] = op(a) [m, k] op(b) [k, n] + bias [n], then relu where asked for. */
  gemm(
    out: FloatArray,
    a: FloatArray,
    b: FloatArray,
    m: number,
    n: number,
    k: number,
    transposeA: boolean,
    transposeB: boolean,
    bias: FloatArray | undefined,
    relu: boolean,
  ): void;

  /** The sum of (array * factor)² over all arrays, in double precision. */
  sumOfSquares(arrays: readonly FloatArray[], factors?: Float64Array): number;
  /**
   * The same by a table of address, length and factor for each array, all of one format; see `runStep` for what an
   * address takes.
   */
  sumOfSquaresAt(table: Float64Array, count: number, format: number): number;
  /** Where an array lies: for as long as it keeps its length, and if its buffer can change that, until then. */
  addressOf(array: FloatArray): number;
  allFinite(arrays: readonly FloatArray[]): boolean;
  /** How many buckets a histogram has, and limits. */
  readonly histogramBuckets: number;
  /** Writes the limits of the buckets, TensorFlow's default ones, ascending. */
  histogramLimits(out: Float64Array): void;
  /**
   * The histogram of an array's values times a factor, by a table of its address, length and factor; see `runStep` for
   * what an address takes. `out` gets the number of finite values, that of others, the least, the greatest, the sum and
   * the sum of squares of the finite ones, and how many of them each bucket has.
   */
  histogramAt(out: Float64Array, table: Float64Array, format: number): void;
  scale(out: FloatArray, x: FloatArray, factor: number): void;
  /** out = the sum of all terms, added from left to right. */
  addN(out: FloatArray, terms: readonly FloatArray[]): void;
  /** out += x * factor. */
  addScaled(out: FloatArray, x: FloatArray, factor: number): void;
  /** averages[i] -= (averages[i] - values[i]) * rate, for every i; each two are equally long. */
  moveToward(averages: readonly FloatArray[], values: readonly FloatArray[], rate: number): void;
  clipByValue(out: FloatArray, x: FloatArray, low: number, high: number): void;

  readonly rules: readonly Rule[];
  /**
   * One step of one rule over any number of variables, in groups that have hyperparameters of their own. `table` holds
   * the rule's id, whether all rows step where a gradient is sparse (0 or 1), the number of groups and of variables;
   * then each group's hyperparameters; then for each variable
   *
   *     group, length, rowElements, factor, gradientFormat, gradientAddress, gradientLength,
   *     parameterFormat, parameterAddress, and a format and an address for each of the rule's slots
   *
   * and those of one group best follow each other. Each array has its own format, by its number; TypeError for formats
   * that no rule has a kernel for together. `rows` is given when a gradient is sparse: for each variable its
   * gradient's indices, undefined where that is dense. Everything is copied before anything is written, indices also
   * against threads that write them meanwhile; what throws (RangeError for counts, lengths and indices that do not fit,
   * TypeError for what is no array, Error when memory is out) has changed nothing.
   *
   * The caller has made sure that at each address lies what the table says, overlapping nothing else of the step that
   * is written, and keeps it there until the call returns.
   */
  runStep(table: Float64Array, rows?: readonly (Int32Array | undefined)[]): void;
  /** How many bytes a step with so many groups and variables takes when it is laid out. */
  stepBytes(rule: number, groups: number, variables: number): number;
  /**
   * Lays the variables of such a table out in `step`, whose gradients are not looked at, so that it can run again and again.
   * `step` is 8 numbers of its own; then each group's hyperparameters; then for each variable the factor and the address
   * of its gradient; then more of its own. The numbers named are the caller's to write before each run.
   */
  layOutStep(step: ArrayBuffer, table: Float64Array): void;
  /** Runs such a step, all of whose gradients are dense, of the formats in its table and of their variables' lengths. */
  runLaidOutStep(step: ArrayBuffer): void;

  /**
   * Keeps an eye on an object without keeping it alive; the engine is told of `bytes` of memory that go with it, so that
   * it collects garbage in time, and of their end once the object is gone. Needs no turn of the event loop.
   *
   * @returns a number that no other watched object of this thread has, for `watched`.
   */
  watch(object: object, bytes: number): number;
  /** The object, or undefined once the collector has taken it. */
  watched(id: number): object | undefined;
}

export const native = open() as Binding;

/** Names of the storage formats, those of native/kernels/formats.h; a test compares the two. */
export const formats = ['float32', 'float64'] as const;
export type Format = (typeof formats)[number];

/** Names of the element-wise functions, those of native/kernels/elementwise/list.h; a test compares the two. */
export const unaryFunctions = [
  'negative',
  'square',
  'sqrt',
  'exp',
  'log',
  'relu',
  'sigmoid',
  'tanh',
  'abs',
  'sign',
] as const;
export const binaryFunctions = [
  'add',
  'subtract',
  'multiply',
  'divide',
  'minimum',
  'maximum',
  'lessEqual',
  'greaterEqual',
  'sqrtGradient',
  'logGradient',
  'squareGradient',
  'reluGradient',
  'sigmoidGradient',
  'tanhGradient',
  'sigmoidCrossEntropy',
  'sigmoidMinus',
] as const;
export type UnaryFunction = (typeof unaryFunctions)[number];
export type BinaryFunction = (typeof binaryFunctions)[number];

function numbers<Name extends string>(names: readonly Name[], all: readonly string[]): Readonly<Record<Name, number>> {
  return Object.fromEntries(names.map((name) => [name, all.indexOf(name)])) as Record<Name, number>;
}

/** What tables for native code call the formats; every dtype is one. */
export const formatNumber = numbers(formats, native.formats);

/** What `native.unary` and `native.binary` call the element-wise functions. */
export const unaryFunction = numbers(unaryFunctions, native.unaryFunctions);
export const binaryFunction = numbers(binaryFunctions, native.binaryFunctions);
