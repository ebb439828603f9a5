import { allocate } from '../autodiff/scope';
import { checkDType, checkRange, isNotNegative } from '../checks';
import { native } from '../native';
import { kernels, refuseInTrace, trace } from '../tensor/trace';
import { checkOptions, type NamesOf } from '../options';
import { rounded, type DType } from '../tensor/dtype';
import { checkShape, frozen, showShape, sizeOf, type Shape } from '../tensor/shape';
import type { Tensor } from '../tensor/tensor';
import { blocksOf, checkOptionalSeed, type Draw, type DrawSource } from './draw';

export interface SeedOptions {
  /**
   * A whole number: the draws with this seed follow each other in a sequence of their own, whatever else is drawn between
   * them. Default: the sequence of all draws without one.
   */
  seed?: number;
}

export interface RandomOptions extends SeedOptions {
  /** Default: `'float32'`. */
  dtype?: DType;
}

export interface UniformOptions extends RandomOptions {
  /** The least number. Default: 0. */
  low?: number;
  /** What all numbers are below. Default: 1. */
  high?: number;
}

export interface NormalOptions extends RandomOptions {
  /** Default: 0. */
  mean?: number;
  /** The standard deviation, not negative. Default: 1. */
  stddev?: number;
}

/** What `bernoulli` takes beside the probability. */
export type BernoulliOptions = RandomOptions;

const bernoulliNames: NamesOf<BernoulliOptions> = { dtype: true, seed: true };
const uniformNames: NamesOf<UniformOptions> = { dtype: true, seed: true, low: true, high: true };
const normalNames: NamesOf<NormalOptions> = { dtype: true, seed: true, mean: true, stddev: true };

/** How many words of a draw a number takes. */
const wordsOf: Readonly<Record<DType, number>> = { float32: 1, float64: 2 };

/** A tensor that `fill` writes from a draw of its own. Everything has been checked: nothing is drawn in vain. */
function drawn(
  source: DrawSource,
  shape: Shape,
  { dtype, seed, words }: { dtype: DType; seed: number | undefined; words: number },
  fill: (out: Tensor, draw: Draw) => void,
): Tensor {
  const out = allocate(dtype, shape, sizeOf(shape));
  fill(out, source.take(blocksOf(out.size * words), seed));
  return out;
}

// Of any array, in any version of Node.
const mostElements = 2 ** 33;

function checkedShape(shape: unknown): Shape {
  const copy: unknown = Array.isArray(shape) ? [...(shape as unknown[])] : shape;
  checkShape('shape', copy);
  if (sizeOf(copy) > mostElements) throw new RangeError(`shape ${showShape(copy)} is that of ${sizeOf(copy)} elements`);
  return frozen(copy);
}

/** @throws RangeError unless the number is finite in this dtype. */
function checkFinite(name: string, value: unknown, dtype: DType): asserts value is number {
  checkRange(name, value, `finite in ${dtype}`, (number) => Number.isFinite(rounded(number, dtype)));
}

export function uniform(source: DrawSource, given: Shape, options: UniformOptions): Tensor {
  const shape = checkedShape(given);
  checkOptions('options', options, uniformNames);
  const { low = 0, high = 1, dtype = 'float32', seed } = options;
  checkDType('dtype', dtype);
  checkOptionalSeed(seed);
  checkFinite('low', low, dtype);
  checkFinite('high', high, dtype);
  const [least, end] = [rounded(low, dtype), rounded(high, dtype)];
  if (!(least < end)) throw new RangeError(`low must be below high in ${dtype}, got ${low} and ${high}`);
  checkFinite('high - low', end - least, dtype);
  return drawn(source, shape, { dtype, seed, words: wordsOf[dtype] }, (out, { key, stream, counter }) => {
    kernels.randomUniform(out.operand, key, stream, counter, least, end);
  });
}

export function normal(source: DrawSource, given: Shape, options: NormalOptions, truncated: boolean): Tensor {
  const shape = checkedShape(given);
  checkOptions('options', options, normalNames);
  const { mean = 0, stddev = 1, dtype = 'float32', seed } = options;
  checkDType('dtype', dtype);
  checkOptionalSeed(seed);
  checkFinite('mean', mean, dtype);
  checkRange('stddev', stddev, 'a number that is not negative', isNotNegative);
  checkFinite('stddev', stddev, dtype);
  return drawn(source, shape, { dtype, seed, words: wordsOf[dtype] }, (out, { key, stream, counter }) => {
    kernels.randomNormal(out.operand, key, stream, counter, mean, stddev, truncated);
  });
}

export function bernoulli(source: DrawSource, given: Shape, probability: number, options: BernoulliOptions): Tensor {
  const shape = checkedShape(given);
  checkRange('probability', probability, 'a number from 0 to 1', (p) => p >= 0 && p <= 1);
  checkOptions('options', options, bernoulliNames);
  const { dtype = 'float32', seed } = options;
  checkDType('dtype', dtype);
  checkOptionalSeed(seed);
  return drawn(source, shape, { dtype, seed, words: 1 }, (out, { key, stream, counter }) => {
    kernels.randomBernoulli(out.operand, key, stream, counter, probability);
  });
}

/** Plain numbers in [0, 1), with 53 bits. */
export function unitNumbers(source: DrawSource, count: number, seed: number | undefined): Float64Array {
  if (trace !== null) refuseInTrace('drawing numbers that JavaScript looks at');
  const numbers = new Float64Array(count);
  const { key, stream, counter } = source.take(blocksOf(count * wordsOf.float64), seed);
  native.randomUniform(numbers, key, stream, counter, 0, 1);
  return numbers;
}
