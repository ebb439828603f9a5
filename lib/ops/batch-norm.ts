import { allocate } from '../autodiff/scope';
import { record, toTensor, type TensorLike } from '../autodiff/tape';
import { checkBoolean, checkRange, shown } from '../checks';
import { checkOptions, type NamesOf } from '../options';
import { showShape, sizeOf } from '../tensor/shape';
import type { Tensor } from '../tensor/tensor';
import { kernels } from '../tensor/trace';
import { Variable } from '../tensor/variable';
import { normalizedColumns } from './column-norm';
import { moveToward } from './moving';
import { bits, checkEpsilon, parameter, present } from './normalized';
import { binary, binaryWith, reshaped, scaled, summed, unary } from './primitives';

export interface BatchNormOptions {
  /** The gain of each channel. Default: 1. */
  gamma?: TensorLike;
  /** The offset of each channel. Default: 0. */
  beta?: TensorLike;
  /** The average of the batches' means. In training it is moved, where it is given; else it is what counts. */
  movingMean?: Variable | Tensor;
  /** The same of their variances. */
  movingVariance?: Variable | Tensor;
  /** Whether mean and variance are the batch's own. Default: false. */
  training?: boolean;
  /** How much of the averages stays in training: average · momentum + batch · (1 - momentum). Default: 0.99. */
  momentum?: number;
  /** Added to the variance. Default: 1e-3. */
  epsilon?: number;
}

const names: NamesOf<BatchNormOptions> = {
  gamma: true,
  beta: true,
  movingMean: true,
  movingVariance: true,
  training: true,
  momentum: true,
  epsilon: true,
};

/**
 * Batch normalisation, by channels: y = (x - mean) / √(variance + ε) · gamma + beta.
 *
 * In training mean and variance are those of all of x but its channels, and moving averages follow them: the variance by
 * n - 1 for n elements, as TensorFlow's fused op does, while x is divided by that of n. The averages move where the op runs,
 * also in what is compiled, whether a step comes of it or not; they must be variables then, and get no gradient.
 * Otherwise mean and variance are the averages.
 *
 * Gradients in training are those of `layerNorm`, means running over all but channels. Otherwise, with r = 1 / √(variance + ε)
 * and x̂ = (x - mean) r: dx = dy · gamma r, of gamma Σ dy x̂, of beta Σ dy, and none of the averages.
 *
 * @param x [..., channels]
 * @returns a tensor of x's shape and dtype.
 * @throws TypeError for arguments of a wrong kind or dtype, or where averages are missing, RangeError for an x without a
 * dimension or another array of another shape than [channels], Error while an asynchronous step uses an average that is
 * to move.
 * Source: Ioffe, Szegedy: "Batch normalization", 2015; `tf.nn.fused_batch_norm`, `tf.layers.batch_normalization`.
 */
export function batchNorm(x: TensorLike, options: BatchNormOptions = {}): Tensor {
  checkOptions('options', options, names);
  const { movingMean, movingVariance, training = false, momentum = 0.99, epsilon = 1e-3 } = options;
  checkBoolean('training', training);
  checkRange('momentum', momentum, 'a number in [0, 1]', (value) => value >= 0 && value <= 1);
  checkEpsilon(epsilon);
  const input = toTensor('x', x);
  const inner = input.shape.at(-1);
  if (inner === undefined) throw new RangeError('x has shape []: it must have at least one dimension');
  const gamma = parameter('gamma', options.gamma, input, [inner]);
  const beta = parameter('beta', options.beta, input, [inner]);
  if (!training) {
    if (movingMean === undefined || movingVariance === undefined) {
      throw new TypeError(
        'batchNorm needs movingMean and movingVariance, unless in training: write { training: true }',
      );
    }
    const mean = parameter('movingMean', movingMean, input, [inner])!;
    const variance = parameter('movingVariance', movingVariance, input, [inner])!;
    return withAverages(input, { mean, variance, epsilon, gamma, beta });
  }
  const averages = [
    checkAverage('movingMean', movingMean, input),
    checkAverage('movingVariance', movingVariance, input),
  ];
  const reduced = sizeOf(input.shape.slice(0, -1));
  const { y, mean, variance } = normalizedColumns(input, {
    outer: 1,
    reduced,
    inner,
    groups: inner,
    epsilon,
    gamma,
    beta,
  });
  if (reduced > 0) {
    const unbiased = scaled(variance, reduced / Math.max(1, reduced - 1));
    if (averages[0] !== undefined) moveToward(averages[0], reshaped(mean, [inner]), momentum);
    if (averages[1] !== undefined) moveToward(averages[1], reshaped(unbiased, [inner]), momentum);
  }
  return y;
}

/** @throws unless there is none, or a variable of x's channels that can be moved. */
function checkAverage(name: string, average: unknown, x: Tensor): Variable | undefined {
  if (average === undefined) return undefined;
  if (!(average instanceof Variable)) {
    throw new TypeError(`${name} must be a Variable in training, which moves it, got ${shown(average)}`);
  }
  average.checkQuiet();
  void average.memory; // says so when it is gone
  if (average.dtype !== x.dtype)
    throw new TypeError(`x is ${x.dtype} and ${name} is ${average.dtype}; they must be the same`);
  const channels = x.shape.at(-1)!;
  if (average.shape.length === 1 && average.shape[0] === channels) return average;
  throw new RangeError(`${name} has shape ${showShape(average.shape)}, expected [${channels}] to fit x`);
}

interface WithAverages {
  readonly mean: Tensor;
  readonly variance: Tensor;
  readonly epsilon: number;
  readonly gamma: Tensor | undefined;
  readonly beta: Tensor | undefined;
}

function withAverages(x: Tensor, { mean, variance, epsilon, gamma, beta }: WithAverages): Tensor {
  const inner = x.shape.at(-1)!;
  const y = allocate(x.dtype, x.shape, x.size);
  kernels.task(
    'normalizeColumnsWith',
    x.dtype,
    [y.operand, x.operand, mean.operand, variance.operand, gamma?.operand, beta?.operand],
    { option: bits(1, gamma, beta), sizes: [sizeOf(x.shape.slice(0, -1)), inner], numbers: [epsilon] },
  );
  return record(present(x, gamma, beta), y, (dy, needed) => {
    const axes = x.shape.slice(0, -1).map((_, d) => d);
    const one = binaryWith('add', scaled(mean, 0), 1);
    const r = binary('divide', one, unary('sqrt', binaryWith('add', variance, epsilon)));
    const found = [needed[0] ? binary('multiply', dy, gamma === undefined ? r : binary('multiply', gamma, r)) : null];
    if (gamma !== undefined) {
      const xhat = (): Tensor => binary('multiply', binary('subtract', x, mean), r);
      found.push(needed[1] ? summed(binary('multiply', dy, xhat()), axes, [inner]) : null);
    }
    if (beta !== undefined) found.push(needed.at(-1) ? summed(dy, axes, [inner]) : null);
    return found;
  });
}
