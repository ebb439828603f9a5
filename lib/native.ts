import { open } from './loader/addon';
import type { FloatArray } from './tensor/dtype';

/** One native update rule, as its C++ functor declares itself. */
export interface Rule {
  readonly id: number;
  readonly name: string;
  readonly slots: readonly string[];
  readonly hyper: readonly string[];
}

/** What came of a step with a commit. */
export const enum Verdict {
  Made,
  /** The version was another. */
  Stale,
  /** There are as many as there may be. */
  Over,
  /** The thread is being terminated. */
  Impatient,
}

/** What this process knows of the others that were started with it. */
export interface MpiWorld {
  readonly rank: number;
  readonly size: number;
  /** Of each rank. */
  readonly hosts: readonly string[];
  /** Of the library; undefined where there is none. */
  readonly family?: 'openmpi' | 'mpich' | 'standard';
  readonly path?: string;
  readonly version?: string;
}

/** What threads copy and sum. */
export type SharableArray = FloatArray | Int32Array | BigInt64Array;

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
  /** The same by blocks of 16 Ki elements from each array's start: `out` has a number for each, array after array. */
  sumsOfSquaresAt(table: Float64Array, count: number, format: number, out: Float64Array): void;
  /** The same off the event loop: see `runStepAsync`. */
  sumOfSquaresAtAsync(held: object, table: Float64Array, count: number, format: number): Promise<number>;
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

  /**
   * Random numbers are a function of `key`, `stream`, `counter` (whole numbers below 2^53) and the arguments after these: the
   * same on every instruction set and for every number of threads. Element i is made of word i of Philox4x32-10's blocks for
   * the counters (counter, stream), (counter + 1, stream) and so on, four words of 32 bits each; in float64 of words 2 i and
   * 2 i + 1. So an array takes as many counters as it has times four elements, or two.
   *
   * Evenly distributed in [low, high).
   */
  randomUniform(out: FloatArray, key: number, stream: number, counter: number, low: number, high: number): void;
  /** Normally distributed; `truncated`: less than two standard deviations from the mean. */
  randomNormal(
    out: FloatArray,
    key: number,
    stream: number,
    counter: number,
    mean: number,
    stddev: number,
    truncated: boolean,
  ): void;
  /** 1 where the element's word is below probability * 2^32, rounded, else 0: one word for each element in float64 too. */
  randomBernoulli(out: FloatArray, key: number, stream: number, counter: number, probability: number): void;
  /** out = 0 where the element's word is below rate * 2^32, rounded, else x / (1 - rate); rate is in [0, 1). */
  dropout(out: FloatArray, x: FloatArray, key: number, stream: number, counter: number, rate: number): void;

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
   *
   * @param commit what goes with the step, see `commit`.
   * @returns a Verdict where there is a commit.
   */
  runStep(table: Float64Array, rows?: readonly (Int32Array | undefined)[], commit?: Float64Array): Verdict | undefined;
  /** How many bytes a step with so many groups and variables takes when it is laid out. */
  stepBytes(rule: number, groups: number, variables: number): number;
  /**
   * Lays the variables of such a table out in `step`, whose gradients are not looked at, so that it can run again and again.
   * `step` is 8 numbers of its own; then each group's hyperparameters; then for each variable the factor and the address
   * of its gradient; then more of its own. The numbers named are the caller's to write before each run.
   */
  layOutStep(step: ArrayBuffer, table: Float64Array): void;
  /** Runs such a step, all of whose gradients are dense, of the formats in its table and of their variables' lengths. */
  runLaidOutStep(step: ArrayBuffer, commit?: Float64Array): Verdict | undefined;

  /**
   * Writes of a few numbers, which other threads see together with those of the step that they go with, or not at all:
   * no thread ends in the middle of a native call. `table` holds
   *
   *     guard, isLocked, expected, limit, writes, and for each write what, address, value
   *
   * The guard is the address of two 32-bit words in shared memory, a lock and the number of steps so far (the version), or
   * 0 for none. A step is not made when the version is not `expected` or not below `limit`; -1 is any. Writes are of a
   * float64, of a float32, or add to an int64.
   */
  commit(table: Float64Array): Verdict;
  /** sums[i] = arrays[i], or sums[i] += arrays[i], with a commit. */
  accumulate(
    commit: Float64Array,
    sums: readonly FloatArray[],
    arrays: readonly FloatArray[],
    isFirst: boolean,
  ): Verdict | undefined;
  /** Sleeps until the guard's version is another, or for a twentieth of a second. */
  waitForStep(guard: Int32Array, version: number): void;
  /**
   * Copies arrays while the guard is locked, by this call or by this thread's `holdGuardAsync`. Returns its version, or -1 in a
   * thread that is being terminated.
   */
  copyGuarded(
    guard: Int32Array,
    isHeld: Int32Array,
    out: readonly SharableArray[],
    arrays: readonly SharableArray[],
  ): number;
  /**
   * Locks a guard off the event loop, until `releaseGuard`; `isHeld`, one number in shared memory of this thread's own, is 1
   * meanwhile. One at a time: jobs that follow would wait for a second.
   */
  holdGuardAsync(held: object, guard: Int32Array, isHeld: Int32Array): Promise<void>;
  releaseGuard(guard: Int32Array, isHeld: Int32Array): void;
  /**
   * Copies stretches of memory off the event loop: `table` has where to, where from and how many bytes for each. See
   * `runStepAsync` for `held` and what an address takes.
   */
  copyAsync(held: object, table: Float64Array): Promise<void>;
  /** Where any typed array lies. */
  addressOfAny(array: ArrayBufferView): number;

  /** How many bytes of shared memory so many threads need to meet, from a multiple of 8 on. */
  meetingBytes(size: number): number;
  /** Makes a meeting of zeroed memory. */
  makeMeeting(memory: Int32Array, size: number): void;
  /** Takes the place of a rank: when this thread ends, or the object that is returned goes, the meeting is broken. */
  joinMeeting(memory: Int32Array, rank: number): object;
  /** How a program of this thread meets those of the others, as this rank. */
  meetingExchange(memory: Int32Array, rank: number): NativeExchange;
  /** Nobody meets there any more. `reason` is a number of 32 bits; the first counts. */
  breakMeeting(memory: Int32Array, reason: number): void;
  /** That number, or 0: 65536 + rank + 1 where a rank's thread has ended. */
  meetingReason(memory: Int32Array): number;
  /**
   * Waits for the other threads, and does with them what native/drivers/collective.h says of `what`. RangeError, for all
   * of them, when what they bring does not fit together: then nothing has changed.
   *
   * @param arrays of each term; `inputs` has terms x arrays of them, undefined where a term lacks one.
   * @returns 0; or 1 when the meeting is broken, and 2 when this thread is being terminated: then nothing has changed.
   */
  meet(
    memory: Int32Array,
    rank: number,
    what: number,
    root: number,
    isMean: boolean,
    terms: number,
    arrays: number,
    inputs: readonly (SharableArray | undefined)[],
    results: readonly SharableArray[],
  ): number;
  /**
   * Finds MPI's library, or what `library` names, and the other ranks, off the event loop. Times are in milliseconds. It is
   * started once in a process; every thread can call what follows.
   */
  mpiStart(held: object, library: string, warnAfter: number, timeout: number): Promise<MpiWorld>;
  /** Looks for a library without starting it. @returns what is wrong, or nothing. */
  mpiFind(library: string): string;
  /** What was started and is not over. */
  mpiWorld(): MpiWorld | undefined;
  /** As `meet`, with the other ranks. @returns 0; or 1 when all calls are aborted: then nothing has changed. */
  mpiCall(
    what: number,
    root: number,
    isMean: boolean,
    inOrder: boolean,
    terms: number,
    arrays: number,
    inputs: readonly (SharableArray | undefined)[],
    results: readonly SharableArray[],
  ): number;
  /** Begins it: `kept` holds all arrays, whose memory nobody can take away. */
  mpiBegin(
    what: number,
    root: number,
    isMean: boolean,
    inOrder: boolean,
    terms: number,
    arrays: number,
    inputs: readonly SharableArray[],
    results: readonly SharableArray[],
    kept: object,
  ): object;
  /** Waits for a call that was begun. What comes of it, as `mpiCall`. */
  mpiWait(call: object): number;
  mpiWhenMade(call: object): Promise<number>;
  /** Why calls are aborted, and the rank that has ended, or -1. */
  mpiReason(): [reason: string, rank: number];
  mpiAbort(reason: string): void;
  /** Waits for the ends of all ranks, and ends MPI: off the event loop, or here. */
  mpiFinalize(held: object): Promise<void>;
  mpiEnd(): void;
  /** Ends the processes of all ranks. */
  mpiEndJob(why: string, code: number): void;
  /** What compiled programs add up their gradients by. */
  mpiExchange(inOrder: boolean): NativeExchange;
  /**
   * Makes a word of shared memory that is 0 one of this thread's, 1, until the object that is returned goes or the thread
   * ends. @returns undefined when it is another's.
   */
  takePlace(words: Int32Array, index: number): object | undefined;
  /** How many threads share the work of this thread's calls; 0: as many as the process has. */
  setThreadsHere(threads: number): void;

  /** Kinds of tasks, which programs call by their places in this list. */
  readonly taskKinds: readonly string[];
  /**
   * Runs a task of a family (native/drivers/tasks) at once. Of its arrays, undefined where an optional one lacks, those that
   * are written come first; `numbers` has its sizes, its numbers, then its items. RangeError for sizes that do not fit the
   * arrays, and for indices that are out of range.
   */
  runTask(
    kind: number,
    format: number,
    option: number,
    numbers: Float64Array,
    ...arrays: readonly (TaskArray | undefined)[]
  ): void;
  /**
   * Parses a program: tasks over arrays that lie in its places, each of which is a stretch of memory. Place 0 is the
   * program's own arena, which starts as zeros. An operand is a place and an offset in bytes. The table holds
   *
   *     bytes of the arena, repetitions, draws of each, n, for each of n places: bytes, stride, given (0 or 1), what it has
   *       (`placeNumber`)
   *     n, for each of n lists of indices: length, stride, limit, m, m numbers of earlier lists
   *     n, for each of n constants: format, offset in the arena, m, m values
   *     twice, for what comes before the update and after it: n, for each of n tasks:
   *       kind, format, option, operands, sizes, numbers (as many as the kind has: native/drivers/tasks.h), m, m items
   *     of the loss: format, operand, length
   *     accumulates (0 or 1), clip (`programClips`), its norm or value, looks whether all is finite (0 or 1), steps (0 or 1)
   *     n, for each of n gradients: format, operand, length, sparse (0 or 1); of a sparse one: its list, rows and
   *       row elements of the whole; then operands of where it is summed or made dense, and of where its summed rows go
   *     where gradients are exchanged among ranks: how many ranks, unscaled before that (0 or 1), n, for each of n sends:
   *       how many tasks before the update have run when it is final, rows (0 or 1); of rows: the number of the gradient; else
   *       format, offset in the arena, length, m, for each of m gradients in it: its number, how many elements behind the start
   *     where the step is divided among them: which rank this is, for each gradient: the operand where all of its variable is, 0,
   *       and where each rank's elements end
   *
   * The first tasks run once for each repetition, places and given lists each time starting their stride further on. A
   * list of m parts is these one after the other, else it is given with the call and each of its indices must be in
   * [0, limit). RangeError for a table in which something does not fit: no program reaches past its places.
   */
  makeProgram(table: Float64Array): Program;
  /**
   * Runs a program. `numbers` has the addresses of its places that are not given, then what gradients are multiplied by
   * first, then key, stream and counter of each draw of each repetition; `given` the arrays of the places that are, then of the lists that are; `table` the step as for `runStep`, with
   * a gradient for each of its variables, of which the table need not tell anything. Writes the loss, the global norm and
   * whether the step was made (1 or 0) into `statistics`, which has 3 elements. `exchange` is that of a program which has ranks:
   * then all of them run it, and RangeError says of all that their programs differ, Error that one could not compute its gradients.
   * Where the step is divided the table's variables are this rank's elements, and all ranks have stepped and all have all, or none has.
   *
   * @returns undefined; or, with nothing changed: where an index is out of range the number of its list among those that
   * are given, times 2 ** 32, plus its position; where the ranks did not meet a text that says why.
   */
  runProgram(
    program: Program,
    numbers: Float64Array,
    given: readonly TaskArray[],
    statistics: Float64Array,
    table?: Float64Array,
    exchange?: NativeExchange,
  ): number | string | undefined;
  /**
   * The same off the event loop, once per program at a time. What is given for lists and `table` is read at once; all other
   * memory must neither move nor go until the promise is settled, and `held` references it.
   */
  runProgramAsync(
    held: object,
    program: Program,
    numbers: Float64Array,
    given: readonly TaskArray[],
    statistics: Float64Array,
    table?: Float64Array,
    exchange?: NativeExchange,
  ): Promise<string | undefined> | number;

  /**
   * Takes part in what a program that has ranks exchanges, in the place of a run that this rank cannot make: the others, which
   * wait for it, throw an Error that says why, and nothing changes. Does nothing where a run `wasAskedFor` and has been made, however
   * it ended.
   */
  missProgram(program: Program, exchange: NativeExchange, why: string, wasAskedFor: boolean): void;
  /** The same off the event loop; `held` references program and exchange. */
  missProgramAsync(
    held: object,
    program: Program,
    exchange: NativeExchange,
    why: string,
    wasAskedFor: boolean,
  ): Promise<void> | undefined;

  /**
   * Both off the event loop, in the order of the calls. Arguments are checked and copied before the call returns, and what
   * is wrong with them is thrown; the promise is rejected when memory is out, with nothing changed. Only then, or when it
   * is fulfilled, has native code done with the memory that the addresses name; `held` stays referenced until then, and is
   * to reference all of it. When the thread ends first, the promise is not settled.
   */
  runStepAsync(held: object, table: Float64Array, rows?: readonly (Int32Array | undefined)[]): Promise<void>;
  runLaidOutStepAsync(held: object, step: ArrayBuffer): Promise<void>;

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

/** What native code exchanges memory with other ranks by; it goes with the object. One program at a time. */
export interface NativeExchange {
  readonly exchange: unique symbol;
}

/** What makeProgram made; it goes with the object. */
export interface Program {
  readonly program: unique symbol;
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
  'floor',
  'ceil',
  'round',
  'reciprocal',
  'rsqrt',
  'expm1',
  'log1p',
  'sin',
  'cos',
  'tan',
  'asin',
  'acos',
  'atan',
  'sinh',
  'cosh',
  'erf',
  'erfc',
  'softplus',
  'logSigmoid',
  'relu6',
  'softsign',
  'elu',
  'selu',
  'silu',
  'gelu',
  'geluTanh',
  'hardSigmoid',
  'hardSwish',
  'mish',
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
  'divideNoNan',
  'multiplyNoNan',
  'pow',
  'powLog',
  'atan2',
  'squaredDifference',
  'floorDivide',
  'floorMod',
  'equal',
  'notEqual',
  'less',
  'greater',
  'reciprocalGradient',
  'rsqrtGradient',
  'softplusGradient',
  'logSigmoidGradient',
  'relu6Gradient',
  'softsignGradient',
  'eluGradient',
  'seluGradient',
  'siluGradient',
  'geluGradient',
  'geluTanhGradient',
  'hardSigmoidGradient',
  'hardSwishGradient',
  'mishGradient',
  'prelu',
  'preluSlope',
  'preluAlphaGradient',
] as const;
export type UnaryFunction = (typeof unaryFunctions)[number];
export type BinaryFunction = (typeof binaryFunctions)[number];

/** What tasks read and write: elements of their dtype, whole numbers of 32 bits, or bytes. */
export type TaskArray = FloatArray | Int32Array | Uint8Array;

/** Kinds of tasks of families, those of native/drivers/tasks; a test compares the two. */
export const familyTasks = [
  'conv2d',
  'conv2dInputGradient',
  'conv2dFilterGradient',
  'pool',
  'poolGradient',
  'depthwise',
  'depthwiseInputGradient',
  'depthwiseFilterGradient',
  'gemmBatch',
  'stridedCopy',
  'stridedAdd',
  'fillWhole',
  'cast',
  'select',
  'gatherAt',
  'scatterAddAt',
  'gatherNd',
  'scatterNdAdd',
  'oneHot',
  'sequenceMask',
  'sparseSoftmaxCrossEntropyAt',
  'extreme',
  'extremeAt',
  'logical',
  'product',
  'productGradient',
  'scan',
  'scanProductGradient',
  'sort',
  'attention',
  'attentionGradient',
  'rotate',
  'normalizeRows',
  'normalizeRowsGradient',
  'normalizeColumns',
  'normalizeColumnsGradient',
  'normalizeColumnsWith',
  'recurrent',
  'recurrentGradient',
  'ctcLoss',
] as const;
export type FamilyTask = (typeof familyTasks)[number];

/** Kinds of tasks of a program, those of native/drivers/tasks.h; a test compares the two. */
export const taskKinds = [
  ...familyTasks,
  'fill',
  'repeat',
  'copy',
  'unary',
  'binary',
  'binaryBroadcast',
  'permute',
  'sum',
  'softmax',
  'logSoftmax',
  'softmaxGradient',
  'logSoftmaxGradient',
  'softmaxCrossEntropy',
  'sparseSoftmaxCrossEntropy',
  'scaleRows',
  'gather',
  'scatterAdd',
  'gemm',
  'addN',
  'addScaled',
  'scale',
  'clipByValue',
  'randomUniform',
  'randomNormal',
  'randomBernoulli',
  'dropout',
  'sumOfSquares',
] as const;
export type TaskKind = (typeof taskKinds)[number];

/** How a program clips its gradients, by number. */
export const programClips = ['none', 'globalNorm', 'value', 'norm', 'averageNorm'] as const;
export type ProgramClip = (typeof programClips)[number];

function numbers<Name extends string>(names: readonly Name[], all: readonly string[]): Readonly<Record<Name, number>> {
  return Object.fromEntries(names.map((name) => [name, all.indexOf(name)])) as Record<Name, number>;
}

const floatNumber = numbers(formats, native.formats);

/**
 * What tables for native code call the formats; every dtype of floats is one. Kernels of floats never see int32 and bool:
 * tasks that work on these say so by other means, and their tables have a format that says nothing.
 */
export const formatNumber = { ...floatNumber, int32: floatNumber.float32, bool: floatNumber.float32 } as const;

/** What programs call what is in a place that is given: a format, or after these what is none. */
export const placeNumber = { ...floatNumber, int32: native.formats.length, bool: native.formats.length + 1 } as const;

/** What programs call the kinds of tasks. */
export const taskKind = numbers(taskKinds, native.taskKinds);

/** What `native.unary` and `native.binary` call the element-wise functions. */
export const unaryFunction = numbers(unaryFunctions, native.unaryFunctions);
export const binaryFunction = numbers(binaryFunctions, native.binaryFunctions);
