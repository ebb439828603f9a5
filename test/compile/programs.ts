import fc from 'fast-check';
import {
  clipByAverageNorm,
  clipByGlobalNorm,
  clipByNorm,
  clipByValue,
  compileStep,
  createGlobalStep,
  GradientAccumulator,
  MixedPrecisionLossScaleOptimizer,
  ops,
  RandomGenerator,
  tensor,
  variable,
  type Constraint,
  type DType,
  type GlobalStep,
  type GradientAndVariable,
  type GradientsAndVariables,
  type IndicesLike,
  type Optimizer,
  type StepClip,
  type Tensor,
  type Variable,
} from 'gradstep';
import { optimizerCases, middling } from '../support/optimizer-cases';
import { generator } from '../support/parity';

// Random training programs, to be run as they are and compiled.

type Step = (h: Tensor, model: Model, given: Given) => Tensor;

export interface Given {
  readonly x: Tensor;
  readonly rows: IndicesLike;
  readonly labels: IndicesLike;
}

export interface Model {
  readonly weights: Variable;
  readonly bias: Variable;
  readonly embedding: Variable;
  readonly gain: Variable;
  readonly constant: Tensor;
  readonly generator: RandomGenerator;
}

const half = (h: Tensor): Tensor => ops.mul(h, 0.5);

/** From [n, width] to [n, width]. */
export const steps: Readonly<Record<string, Step>> = {
  relu: (h) => ops.relu(h),
  tanh: (h) => ops.tanh(h),
  sigmoid: (h) => ops.sigmoid(h),
  abs: (h) => ops.abs(h),
  exp: (h) => ops.exp(half(ops.tanh(h))),
  log: (h) => ops.log(ops.add(ops.square(h), 1)),
  sqrt: (h) => ops.sqrt(ops.add(ops.square(h), 0.5)),
  neg: (h) => ops.neg(h),
  addBias: (h, { bias }) => ops.add(h, bias),
  mulGain: (h, { gain }) => ops.mul(gain, h),
  subConstant: (h, { constant }) => ops.sub(h, constant),
  divide: (h, { bias }) => ops.div(h, ops.add(ops.square(bias), 1)),
  maximum: (h, { bias }) => ops.maximum(h, bias),
  minimum: (h, { gain }) => ops.minimum(h, gain),
  matMul: (h, { weights }) => ops.matMul(h, weights),
  matMulTransposed: (h, { weights }) => ops.matMul(h, weights, { transposeB: true }),
  layer: (h, { weights, bias }) => ops.xwPlusB(h, weights, bias),
  reluLayer: (h, { weights, bias }) => ops.reluLayer(h, weights, bias),
  embed: (h, { embedding }, { rows }) => ops.add(h, ops.gather(embedding, rows)),
  softmax: (h) => ops.softmax(h),
  logSoftmax: (h) => half(ops.logSoftmax(h)),
  softmaxOfColumns: (h) => ops.softmax(h, { axis: 0 }),
  transposed: (h) => ops.transpose(ops.mul(ops.transpose(h), 1.5)),
  reshaped: (h) => ops.reshape(ops.square(ops.reshape(h, [-1])), h.shape),
  centred: (h) => ops.sub(h, ops.reduceMean(h, 1, { keepDims: true })),
  normalized: (h) => ops.div(h, ops.add(ops.reduceSum(ops.abs(h), 0, { keepDims: true }), 1)),
  dropout: (h, { generator }) => ops.dropout(h, { rate: 0.3, generator }),
  dropoutOfColumns: (h, { generator }) => ops.dropout(h, { rate: 0.5, noiseShape: [1, null], seed: 3, generator }),
  noise: (h, { generator }) => ops.add(h, generator.normal(h.shape, { dtype: h.dtype })),
  noiseOfBits: (h, { generator }) =>
    ops.mul(
      h,
      ops.add(generator.uniform([h.shape[1]!], { dtype: h.dtype }), generator.bernoulli([1], 0.5, { dtype: h.dtype })),
    ),
  batched: (h, { weights }) =>
    ops.reshape(ops.matMul(ops.reshape(h, [1, ...h.shape]), ops.reshape(weights, [1, ...weights.shape])), h.shape),
};

/** From [n, width] to a loss. */
export const losses: Readonly<Record<string, Step>> = {
  mean: (h) => ops.reduceMean(ops.square(h)),
  sum: (h) => ops.reduceSum(h),
  elements: (h) => ops.square(h),
  classes: (h, _, { labels }) => ops.reduceMean(ops.sparseSoftmaxCrossEntropyWithLogits(labels, h)),
  soft: (h, _, { x }) => ops.reduceMean(ops.softmaxCrossEntropyWithLogits(ops.softmax(x), h)),
  logistic: (h, _, { x }) => ops.reduceMean(ops.sigmoidCrossEntropyWithLogits(ops.sigmoid(x), h)),
  l2: (h, { weights }) => ops.add(ops.l2Loss(h), ops.mul(ops.l2Loss(weights), 0.01)),
};

const constraints: Readonly<Record<'none' | 'ofOps' | 'ofJavaScript', Constraint | undefined>> = {
  none: undefined,
  ofOps: (value) => ops.minimum(ops.mul(value, 0.75), 0.5),
  ofJavaScript: (value) =>
    tensor(
      value.data.map((x) => Math.min(x, 0.5)),
      value.shape,
    ),
};

export interface Description {
  readonly seed: number;
  readonly dtype: DType;
  readonly rows: number;
  readonly width: number;
  readonly steps: readonly string[];
  readonly loss: string;
  readonly optimizer: number;
  readonly clip: StepClip | undefined;
  readonly accumulate: number | undefined;
  readonly lossScale: number | 'dynamic' | undefined;
  readonly constraint: keyof typeof constraints;
}

export const descriptions: fc.Arbitrary<Description> = fc.record({
  seed: fc.nat(),
  dtype: fc.constantFrom<DType>('float32', 'float64'),
  rows: fc.constantFrom(1, 2, 5, 16),
  width: fc.constantFrom(1, 2, 3, 8, 17),
  steps: fc.array(fc.constantFrom(...Object.keys(steps)), { minLength: 1, maxLength: 6 }),
  loss: fc.constantFrom(...Object.keys(losses)),
  optimizer: fc.nat(optimizerCases.length - 1),
  clip: fc.option(
    fc.oneof(
      fc.constantFrom(0.01, 1, 100).map((globalNorm) => ({ globalNorm })),
      fc.constantFrom(0.01, 1).map((value) => ({ value })),
      fc.constantFrom(0.01, 1).map((norm) => ({ norm })),
      fc.constantFrom(0.001, 1).map((averageNorm) => ({ averageNorm })),
    ),
    { nil: undefined },
  ),
  accumulate: fc.constantFrom(undefined, undefined, 1, 2, 3),
  lossScale: fc.constantFrom(undefined, undefined, 1, 3, 1024, 'dynamic' as const),
  constraint: fc.constantFrom('none', 'none', 'ofOps', 'ofJavaScript'),
});

/** Everything that one way of running a description has. */
export interface World {
  readonly model: Model;
  readonly optimizer: Optimizer;
  readonly globalStep: GlobalStep | undefined;
  readonly loss: (given: Given) => Tensor;
  /** Where several ranks make one step: what computes gradients of this one's parts, and means over ranks of their mean. */
  readonly ranks?: {
    readonly local: Optimizer;
    readonly average: (mean: GradientsAndVariables) => GradientsAndVariables;
  };
}

export function worldOf(description: Description): World {
  const { seed, dtype, width, steps: names, loss, optimizer, lossScale, constraint } = description;
  const next = generator(seed);
  const numbers = (length: number): number[] => Array.from({ length }, () => next() * 2 - 1);
  const made = (name: string, ...shape: number[]): Variable => {
    const own = name === 'embedding' ? undefined : constraints[constraint]; // its gradient is sparse
    return variable(numbers(shape.reduce((a, b) => a * b, 1)), { name, shape, dtype, ...(own && { constraint: own }) });
  };
  const model = {
    weights: made('weights', width, width),
    bias: made('bias', width),
    embedding: made('embedding', 7, width),
    gain: made('gain'),
    constant: tensor(numbers(width), [width], dtype),
    generator: new RandomGenerator(seed),
  };
  const chosen = optimizerCases[optimizer]!;
  const own = chosen.create(middling(chosen));
  return {
    model,
    optimizer: lossScale === undefined ? own.optimizer : new MixedPrecisionLossScaleOptimizer(own.optimizer, lossScale),
    globalStep: own.globalStep ?? createGlobalStep(),
    loss: (given) => {
      let h = names.reduce((value, name) => steps[name]!(value, model, given), given.x);
      h = ops.add(h, ops.mul(model.bias, 0.1)); // so that there is a gradient
      return losses[loss]!(h, model, given);
    },
  };
}

/** What a run is given: of all parts together. */
export interface Batch {
  readonly x: Float32Array | Float64Array;
  readonly rows: Int32Array;
  readonly labels: Int32Array;
}

export function batchOf({ seed, dtype, rows, width, accumulate = 1 }: Description, step: number): Batch {
  const next = generator(seed + 1000 * step + 1);
  const count = rows * accumulate;
  const x = Array.from({ length: count * width }, () => next() * 4 - 2);
  return {
    x: dtype === 'float32' ? Float32Array.from(x) : Float64Array.from(x),
    rows: Int32Array.from({ length: count }, () => Math.floor(next() * 7)),
    labels: Int32Array.from({ length: count }, () => Math.floor(next() * width)),
  };
}

export interface Found {
  readonly loss: number;
  readonly norm: number;
  readonly applied: boolean;
}

type Pairs = readonly GradientAndVariable[];

function clipped(pairs: Pairs, clip: StepClip | undefined): { pairs: Pairs; norm: number } {
  if (clip === undefined) return { pairs, norm: NaN };
  if ('globalNorm' in clip) {
    const [result, norm] = clipByGlobalNorm(pairs, clip.globalNorm);
    return { pairs: result, norm };
  }
  const each = pairs.map(([gradient, v]): GradientAndVariable => {
    if (gradient === null) return [null, v];
    if ('value' in clip) return [clipByValue(gradient, -clip.value, clip.value), v];
    if ('norm' in clip) return [clipByNorm(gradient, clip.norm), v];
    return [clipByAverageNorm(gradient, clip.averageNorm), v];
  });
  return { pairs: each, norm: NaN };
}

/** One step as it is without compiling. */
export function eagerStep(world: World, description: Description, batch: Batch): Found {
  const { rows, width, accumulate, clip } = description;
  const { optimizer, loss, globalStep, ranks } = world;
  const parts = accumulate ?? 1;
  const computing = accumulate === undefined ? optimizer : (ranks?.local ?? optimizer);
  const accumulator = new GradientAccumulator();
  const part = (i: number) =>
    computing.computeGradients(() =>
      loss({
        x: tensor(batch.x.subarray(i * rows * width, (i + 1) * rows * width), [rows, width]),
        rows: batch.rows.subarray(i * rows, (i + 1) * rows),
        labels: batch.labels.subarray(i * rows, (i + 1) * rows),
      }),
    );
  if (accumulate !== undefined) for (let i = 0; i < parts; i++) accumulator.add(part(i));
  const sum = accumulate === undefined ? part(0) : accumulator.take();
  const gradients = accumulate === undefined || ranks === undefined ? sum : ranks.average(sum);
  const { pairs, norm } = clipped(gradients, clip);
  const applied = optimizer.applyGradients(pairs, globalStep && { globalStep });
  const values = [...gradients.loss.data];
  return { loss: values.length === 1 ? values[0]! : values.reduce((sum, value) => sum + value, 0), norm, applied };
}

function compiledStep({ optimizer, loss, globalStep }: World, description: Description) {
  const { rows, width, dtype, accumulate, clip } = description;
  const count = rows * (accumulate ?? 1);
  return compileStep({
    inputs: {
      x: { shape: [count, width], dtype },
      rows: { shape: [count], dtype: 'int32' },
      labels: { shape: [count], dtype: 'int32' },
    },
    loss,
    optimizer,
    ...(globalStep && { globalStep }),
    ...(clip && { clip }),
    ...(accumulate !== undefined && { accumulate }),
  });
}

const fedWith = ({ x, rows, labels }: Batch, { width }: Description) => {
  return { x: tensor(x, [rows.length, width]), rows, labels };
};

/** The same step, compiled. */
export function compiled(world: World, description: Description): (batch: Batch) => Found {
  const step = compiledStep(world, description);
  return (batch) => step.runSync(fedWith(batch, description));
}

/** The same off the event loop. */
export function compiledAsync(world: World, description: Description): (batch: Batch) => Promise<Found> {
  const step = compiledStep(world, description);
  return (batch) => step.run(fedWith(batch, description));
}

/** All that a step leaves behind. */
export function remains({ model, optimizer, globalStep }: World): (Float32Array | Float64Array)[] {
  const { weights, bias, embedding, gain } = model;
  const drawn = model.generator.state().flatMap(({ memory }) => Array.from(memory, Number));
  const own = [weights, bias, embedding, gain, ...optimizer.variables()].map(({ data }) => data.slice());
  return [...own, Float64Array.of(globalStep?.value ?? 0, ...drawn)];
}
