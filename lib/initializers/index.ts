import { allocate } from '../autodiff/scope';
import { checkDType, checkRange, isFinitePositive, shown } from '../checks';
import { checkOptions, type NamesOf } from '../options';
import { random, RandomGenerator } from '../random';
import type { DType } from '../tensor/dtype';
import { checkShape, showShape, sizeOf, type Shape } from '../tensor/shape';
import { tensor, type Tensor } from '../tensor/tensor';
import { kernels } from '../tensor/trace';
import { fansOf } from './fans';
import { orthogonalFactor } from './orthogonal';

/** Makes start values: `variable(initializers.heNormal()([784, 256]))`. `dtype` is float32 by default. */
export type Initializer = (shape: readonly number[], dtype?: DType) => Tensor;

/** What initializers that draw numbers take. */
export interface RandomInitializerOptions {
  /** As of every draw of a generator: a sequence of its own. */
  seed?: number;
  /** Default: `random`. */
  generator?: RandomGenerator;
}

export interface UniformInitializerOptions extends RandomInitializerOptions {
  /** Default: -0.05. */
  minval?: number;
  /** Default: 0.05. */
  maxval?: number;
}

export interface NormalInitializerOptions extends RandomInitializerOptions {
  /** Default: 0. */
  mean?: number;
  /** Default: 0.05. */
  stddev?: number;
}

export interface VarianceScalingOptions extends RandomInitializerOptions {
  /** The variance times n. Default: 1. */
  scale?: number;
  /** What n is: the inputs of an output, the outputs of an input, or the mean of both. Default: `'fanIn'`. */
  mode?: 'fanIn' | 'fanOut' | 'fanAvg';
  /** Default: `'truncatedNormal'`. */
  distribution?: 'truncatedNormal' | 'untruncatedNormal' | 'uniform';
}

export interface GainOptions {
  /** What the matrix is multiplied by. Default: 1. */
  gain?: number;
}

export interface OrthogonalOptions extends RandomInitializerOptions, GainOptions {}

const randomNames: NamesOf<RandomInitializerOptions> = { seed: true, generator: true };
const uniformNames: NamesOf<UniformInitializerOptions> = { ...randomNames, minval: true, maxval: true };
const normalNames: NamesOf<NormalInitializerOptions> = { ...randomNames, mean: true, stddev: true };
const scalingNames: NamesOf<VarianceScalingOptions> = { ...randomNames, scale: true, mode: true, distribution: true };
const gainNames: NamesOf<GainOptions> = { gain: true };
const orthogonalNames: NamesOf<OrthogonalOptions> = { ...randomNames, ...gainNames };

const modes = ['fanIn', 'fanOut', 'fanAvg'];
const distributions = ['truncatedNormal', 'untruncatedNormal', 'uniform'];

/** The standard deviation of a normal distribution of which only what is less than two from the mean is left. */
const truncatedStddev = 0.87962566103423978;

function generatorOf({ generator = random }: RandomInitializerOptions): RandomGenerator {
  if (generator instanceof RandomGenerator) return generator;
  throw new TypeError(`generator must be a RandomGenerator, got ${shown(generator)}`);
}

const seedOf = ({ seed }: RandomInitializerOptions): { seed?: number } => (seed === undefined ? {} : { seed });

function checkOneOf(name: string, value: unknown, all: readonly string[]): void {
  if (all.includes(value as string)) return;
  throw new RangeError(`${name} must be one of ${all.map((one) => `'${one}'`).join(', ')}, got ${shown(value)}`);
}

/**
 * The same number everywhere.
 * @throws TypeError unless `value` is a number.
 * Source: `tf.constant_initializer`.
 */
export function constant(value: number): Initializer {
  checkRange('value', value, 'a number', () => true);
  return (shape, dtype = 'float32') => {
    checkDType('dtype', dtype);
    checkShape('shape', shape);
    const out = allocate(dtype, [...shape], sizeOf(shape));
    kernels.fill(out.operand, value);
    return out;
  };
}

/** 0 everywhere. Source: `tf.zeros_initializer`. */
export function zeros(): Initializer {
  return constant(0);
}

/** 1 everywhere. Source: `tf.ones_initializer`. */
export function ones(): Initializer {
  return constant(1);
}

/**
 * Evenly distributed in [minval, maxval).
 * @throws TypeError for options of a wrong kind; the initializer RangeError unless minval is below maxval.
 * Source: `tf.random_uniform_initializer`.
 */
export function randomUniform(options: UniformInitializerOptions = {}): Initializer {
  checkOptions('options', options, uniformNames);
  const { minval = -0.05, maxval = 0.05 } = options;
  const generator = generatorOf(options);
  return (shape, dtype = 'float32') =>
    generator.uniform(shape, { low: minval, high: maxval, dtype, ...seedOf(options) });
}

/**
 * Normally distributed.
 * @throws TypeError for options of a wrong kind; the initializer RangeError for a negative stddev.
 * Source: `tf.random_normal_initializer`.
 */
export function randomNormal(options: NormalInitializerOptions = {}): Initializer {
  checkOptions('options', options, normalNames);
  const { mean = 0, stddev = 0.05 } = options;
  const generator = generatorOf(options);
  return (shape, dtype = 'float32') => generator.normal(shape, { mean, stddev, dtype, ...seedOf(options) });
}

/**
 * Normally distributed, less than two standard deviations from the mean: what lies beyond is drawn again.
 * @throws TypeError for options of a wrong kind; the initializer RangeError for a negative stddev.
 * Source: `tf.truncated_normal_initializer`.
 */
export function truncatedNormal(options: NormalInitializerOptions = {}): Initializer {
  checkOptions('options', options, normalNames);
  const { mean = 0, stddev = 0.05 } = options;
  const generator = generatorOf(options);
  return (shape, dtype = 'float32') => generator.truncatedNormal(shape, { mean, stddev, dtype, ...seedOf(options) });
}

/**
 * Mean 0 and variance scale / n, n being the inputs of an output (fan in), the outputs of an input (fan out) or the mean of
 * both; each at least 1. Weights are [...positions of a filter, inputs, outputs].
 *
 * @throws TypeError for options of a wrong kind, RangeError for a scale that is not positive or a mode or distribution that
 * is none.
 * Source: `tf.variance_scaling_initializer`.
 */
export function varianceScaling(options: VarianceScalingOptions = {}): Initializer {
  checkOptions('options', options, scalingNames);
  const { scale = 1, mode = 'fanIn', distribution = 'truncatedNormal' } = options;
  checkRange('scale', scale, 'a positive number', isFinitePositive);
  checkOneOf('mode', mode, modes);
  checkOneOf('distribution', distribution, distributions);
  const generator = generatorOf(options);
  return (shape, dtype = 'float32') => {
    checkShape('shape', shape);
    const { fanIn, fanOut } = fansOf(shape);
    const n = { fanIn, fanOut, fanAvg: (fanIn + fanOut) / 2 }[mode];
    const stddev = Math.sqrt(scale / Math.max(1, n));
    const rest = { dtype, ...seedOf(options) };
    if (distribution === 'truncatedNormal') {
      return generator.truncatedNormal(shape, { stddev: stddev / truncatedStddev, ...rest });
    }
    if (distribution === 'untruncatedNormal') return generator.normal(shape, { stddev, ...rest });
    const limit = Math.sqrt(3) * stddev;
    return generator.uniform(shape, { low: -limit, high: limit, ...rest });
  };
}

type Scaling = Required<Pick<VarianceScalingOptions, 'scale' | 'mode' | 'distribution'>>;

function scaledBy(options: RandomInitializerOptions, scaling: Scaling): Initializer {
  checkOptions('options', options, randomNames);
  return varianceScaling({ ...options, ...scaling });
}

/**
 * Evenly distributed within ±√(6 / (fan in + fan out)).
 * Source: `tf.glorot_uniform_initializer`, "Understanding the difficulty of training deep feedforward neural networks"
 * (Glorot and Bengio, 2010).
 */
export function glorotUniform(options: RandomInitializerOptions = {}): Initializer {
  return scaledBy(options, { scale: 1, mode: 'fanAvg', distribution: 'uniform' });
}

/** Truncated normal with variance 2 / (fan in + fan out). Source: `tf.glorot_normal_initializer`. */
export function glorotNormal(options: RandomInitializerOptions = {}): Initializer {
  return scaledBy(options, { scale: 1, mode: 'fanAvg', distribution: 'truncatedNormal' });
}

/**
 * Evenly distributed within ±√(6 / fan in).
 * Source: `tf.keras.initializers.he_uniform`, "Delving deep into rectifiers" (He et al., 2015).
 */
export function heUniform(options: RandomInitializerOptions = {}): Initializer {
  return scaledBy(options, { scale: 2, mode: 'fanIn', distribution: 'uniform' });
}

/** Truncated normal with variance 2 / fan in. Source: `tf.keras.initializers.he_normal`. */
export function heNormal(options: RandomInitializerOptions = {}): Initializer {
  return scaledBy(options, { scale: 2, mode: 'fanIn', distribution: 'truncatedNormal' });
}

/**
 * Evenly distributed within ±√(3 / fan in).
 * Source: `tf.keras.initializers.lecun_uniform`, "Efficient backprop" (LeCun et al., 1998).
 */
export function lecunUniform(options: RandomInitializerOptions = {}): Initializer {
  return scaledBy(options, { scale: 1, mode: 'fanIn', distribution: 'uniform' });
}

/** Truncated normal with variance 1 / fan in. Source: `tf.keras.initializers.lecun_normal`. */
export function lecunNormal(options: RandomInitializerOptions = {}): Initializer {
  return scaledBy(options, { scale: 1, mode: 'fanIn', distribution: 'truncatedNormal' });
}

/**
 * gain times a matrix with orthogonal columns, or rows where it has fewer of these, of length 1: every such matrix is as
 * likely. A shape of more dimensions is that of a matrix whose columns are the last one.
 *
 * @throws TypeError for options of a wrong kind; the initializer RangeError for a shape of less than two dimensions.
 * Source: `tf.orthogonal_initializer`, "Exact solutions to the nonlinear dynamics of learning in deep linear neural networks"
 * (Saxe et al., 2013).
 */
export function orthogonal(options: OrthogonalOptions = {}): Initializer {
  checkOptions('options', options, orthogonalNames);
  const { gain = 1 } = options;
  checkRange('gain', gain, 'a finite number', Number.isFinite);
  const generator = generatorOf(options);
  return (shape, dtype = 'float32') => {
    checkDType('dtype', dtype);
    const [rows, columns] = matrixOf(shape);
    const [long, short] = [Math.max(rows, columns), Math.min(rows, columns)];
    const drawn = generator.normal([long, short], { dtype: 'float64', ...seedOf(options) });
    const q = orthogonalFactor(Float64Array.from(drawn.data), long, short);
    drawn.dispose();
    const values =
      rows >= columns
        ? q.map((value) => gain * value)
        : Float64Array.from({ length: q.length }, (_, i) => gain * q[(i % columns) * short + Math.floor(i / columns)]!);
    return tensor(values, [...shape], dtype);
  };
}

function matrixOf(shape: Shape): [number, number] {
  checkShape('shape', shape);
  if (shape.length < 2) throw new RangeError(`shape is ${showShape(shape)}: it must have at least two dimensions`);
  return [sizeOf(shape.slice(0, -1)), shape.at(-1)!];
}

/**
 * gain times the identity matrix: 1 on the diagonal, 0 elsewhere.
 * @throws TypeError for options of a wrong kind; the initializer RangeError for a shape that has not two dimensions.
 * Source: `tf.initializers.identity`.
 */
export function identity(options: GainOptions = {}): Initializer {
  checkOptions('options', options, gainNames);
  const { gain = 1 } = options;
  checkRange('gain', gain, 'a finite number', Number.isFinite);
  return (shape, dtype = 'float32') => {
    checkDType('dtype', dtype);
    checkShape('shape', shape);
    if (shape.length !== 2) throw new RangeError(`shape is ${showShape(shape)}: it must have two dimensions`);
    const [rows, columns] = shape as readonly [number, number];
    const values = new Float64Array(rows * columns);
    for (let i = 0; i < Math.min(rows, columns); i++) values[i * columns + i] = gain;
    return tensor(values, [rows, columns], dtype);
  };
}
