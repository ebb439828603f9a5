import { allocate } from '../autodiff/scope';
import { record, toTensor, type TensorLike } from '../autodiff/tape';
import { derived, operandOf } from '../autodiff/way-back';
import { checkRange, shown } from '../checks';
import { checkOptions, type NamesOf } from '../options';
import { random, RandomGenerator } from '../random';
import { blocksOf, checkOptionalSeed, type Draw } from '../random/draw';
import { checkShape, frozen, sameShape, showShape, sizeOf, type Shape } from '../tensor/shape';
import type { Tensor } from '../tensor/tensor';
import { kernels, trace } from '../tensor/trace';
import { identity } from './identity';
import { mul } from './mul';

export interface DropoutOptions {
  /** The probability of being dropped, in [0, 1). */
  rate: number;
  /**
   * The shape of what is decided by itself, of as many dimensions as x: 1 decides for a whole dimension, null stands for
   * x's size. Default: x's shape.
   */
  noiseShape?: readonly (number | null)[];
  /** As of every draw of a generator: a sequence of its own. */
  seed?: number;
  /** Default: `random`. */
  generator?: RandomGenerator;
}

const names: NamesOf<DropoutOptions> = { rate: true, noiseShape: true, seed: true, generator: true };

/**
 * y = x / (1 - rate), each element with probability `rate` 0 instead; so y has x's expected value. Rate 0 is `identity`, and
 * draws nothing.
 *
 * Gradient: dx = dy / (1 - rate), 0 where y was dropped. What is dropped is 0 even where x or dy is not finite, but with a
 * `noiseShape`, where x is multiplied by 0.
 *
 * @returns a tensor of x's shape and dtype.
 * @throws TypeError for arguments of a wrong kind, RangeError for a rate outside of [0, 1) or a noise shape that does not
 * broadcast to x's.
 * Source: `tf.nn.dropout`.
 */
export function dropout(x: TensorLike, options: DropoutOptions): Tensor {
  checkOptions('options', options, names);
  const {
    rate,
    noiseShape,
    seed,
    generator = random,
  } = (options as DropoutOptions | undefined) ?? ({} as DropoutOptions);
  checkRange('rate', rate, 'a number in [0, 1)', (value) => value >= 0 && value < 1);
  checkOptionalSeed(seed);
  if (!(generator instanceof RandomGenerator)) {
    throw new TypeError(`generator must be a RandomGenerator, got ${shown(generator)}`);
  }
  const input = toTensor('x', x);
  const shape = noiseShape === undefined ? input.shape : completed(noiseShape, input.shape);
  if (rate === 0) return identity(x);
  const take = (of: Shape): Draw => generator.take(blocksOf(sizeOf(of)), seed);
  if (sameShape(shape, input.shape)) return ofEach(input, rate, take);
  const ones = allocate(input.dtype, shape, sizeOf(shape));
  kernels.fill(ones.operand, 1);
  return mul(x, dropped(ones, rate, () => take(shape))[0]);
}

function ofEach(x: Tensor, rate: number, take: (shape: Shape) => Draw): Tensor {
  const [y, draw] = dropped(x, rate, () => take(x.shape));
  return record([x], y, (dy) => [dropped(dy, rate, () => draw)[0]]);
}

/** Draws once there is memory for what it is drawn for. */
function dropped(x: Tensor, rate: number, take: () => Draw): [Tensor, Draw] {
  const y = allocate(x.dtype, x.shape, x.size);
  const values = operandOf(x);
  if (trace === null) x.memory.locate(); // says so when it is gone, before anything is drawn
  const draw = take();
  kernels.dropout(y.operand, values, draw.key, draw.stream, draw.counter, rate);
  return [derived([x], y, (dy) => [dropped(dy, rate, () => draw)[0]]), draw];
}

function completed(noiseShape: unknown, shape: Shape): Shape {
  if (!Array.isArray(noiseShape)) {
    throw new TypeError(`noiseShape must be an array of sizes, got ${shown(noiseShape)}`);
  }
  const sizes = (noiseShape as unknown[]).map((size, d) => (size === null ? shape[d] : size));
  checkShape('noiseShape', sizes);
  if (sizes.length !== shape.length || sizes.some((size, d) => size !== 1 && size !== shape[d])) {
    throw new RangeError(`noiseShape must have x's sizes ${showShape(shape)} or 1, got ${showShape(sizes)}`);
  }
  return frozen(sizes);
}
