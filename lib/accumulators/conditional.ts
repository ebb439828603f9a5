import { checkDType, checkOptions, checkRange, isWhole, shown } from '../checks';
import { isFloatArray, type DType, type FloatArray } from '../dtype';
import { IndexedSlices } from '../indexed-slices';
import { markSpent } from '../optimizers/spent';
import { checkShape, sameShape, showShape, type Shape } from '../shape';
import { alias, Tensor } from '../tensor';
import { Variable } from '../variable';
import { DenseSum } from './dense-sum';
import { RowSums } from './row-sums';

/** How gradients become one: their sum divided by their number, or their sum. */
export type ReductionType = 'MEAN' | 'SUM';

export interface ConditionalAccumulatorOptions {
  /** The shape of the gradients. Default: that of the first. */
  shape?: readonly number[];
  /** Default: `'MEAN'`. */
  reductionType?: ReductionType;
  /** Default: `conditional_accumulator`. */
  name?: string;
}

/**
 * Gathers gradients that were computed at the present step, and refuses those that came too late. Both kinds share
 * this.
 *
 * @typeParam G what is taken out.
 */
export abstract class ConditionalAccumulatorBase<G> {
  readonly dtype: DType;
  readonly reductionType: ReductionType;
  readonly name: string;
  private step = 0;
  private count = 0;

  protected constructor(dtype: DType, options: ConditionalAccumulatorOptions, defaultName: string) {
    checkDType('dtype', dtype);
    checkOptions('options', options);
    const { shape, reductionType = 'MEAN', name = defaultName } = options;
    if (shape !== undefined) checkShape('shape', shape);
    checkReductionType(reductionType);
    if (typeof name !== 'string') throw new TypeError(`name must be a string, got ${shown(name)}`);
    this.dtype = dtype;
    this.reductionType = reductionType;
    this.name = name;
  }

  /** The step of gradients that are accepted: of this, or a later one. */
  get globalStep(): number {
    return this.step;
  }

  /** How many gradients have been accepted since the last were taken. */
  numAccumulated(): number {
    return this.count;
  }

  /** @throws TypeError or RangeError unless `globalStep` is a whole number that is not negative. */
  setGlobalStep(globalStep: number): void {
    checkRange('globalStep', globalStep, 'a whole number that is not negative', isWhole);
    this.step = globalStep;
  }

  /**
   * Takes what has been gathered, goes on to the next step and starts anew.
   *
   * @param numRequired how many gradients it must be at least. All that have come count, also when they are more.
   * @returns their mean or sum; null when there are fewer. TensorFlow would wait, but within one thread nobody comes.
   * @throws TypeError, or RangeError unless numRequired is a whole number from 1.
   */
  takeGrad(numRequired: number): G | null {
    checkRange('numRequired', numRequired, 'a whole number from 1', (n) => isWhole(n) && n >= 1);
    if (this.count < numRequired) return null;
    const result = this.result();
    this.startAnew();
    return result;
  }

  /** @internal What `takeGrad` would give. */
  abstract result(): G;

  /** @internal Lets go of what has been gathered. */
  startAnew(): void {
    this.clear();
    this.count = 0;
    this.step++;
  }

  protected abstract clear(): void;

  /** Whether a gradient of this step is accepted. */
  protected isFresh(localStep: number): boolean {
    checkRange('localStep', localStep, 'a whole number that is not negative', isWhole);
    return localStep >= this.step;
  }

  protected counted(): void {
    this.count++;
  }

  protected get isMean(): boolean {
    return this.reductionType === 'MEAN';
  }
}

/**
 * Gathers dense gradients. `takeGrad` gives their sum divided by their number, which changes only a factor, or for
 * `'SUM'` their sum.
 *
 * Source: `tf.ConditionalAccumulator`.
 * @example
 * const accumulator = new ConditionalAccumulator('float32', { shape: [2] });
 * accumulator.applyGrad(tensor([1, 2]), 0); // true
 * accumulator.applyGrad(tensor([3, 4]), 0); // true
 * accumulator.takeGrad(2); // [2, 3]
 * accumulator.applyGrad(tensor([5, 6]), 0); // false: the accumulator is at step 1
 */
export class ConditionalAccumulator extends ConditionalAccumulatorBase<Tensor> {
  private sum: DenseSum | null = null;

  /** @throws TypeError for a wrong kind, RangeError for a shape of what are no sizes. */
  constructor(dtype: DType, options: ConditionalAccumulatorOptions = {}) {
    super(dtype, options, 'conditional_accumulator');
    if (options.shape !== undefined) this.sum = new DenseSum(dtype, Object.freeze([...options.shape]));
  }

  /**
   * Adds a gradient, unless it comes too late.
   *
   * @param localStep the step at which it was computed. Default: 0.
   * @returns whether it was accepted: whether localStep is not less than `globalStep`.
   * @throws TypeError for a wrong kind, RangeError for another shape.
   */
  applyGrad(gradient: Tensor | Variable | FloatArray, localStep = 0): boolean {
    const isFresh = this.isFresh(localStep);
    const values = toTensor(gradient, this.sum?.shape);
    checkDTypeOf(values, this.dtype);
    if (this.sum !== null) checkShapeOf('gradient', values.shape, this.sum.shape);
    void values.raw; // throws when its memory is gone
    if (isFresh) {
      this.sum ??= new DenseSum(this.dtype, values.shape);
      this.sum.add(values);
      this.counted();
    }
    markSpent(values);
    return isFresh;
  }

  /** @internal */
  override result(): Tensor {
    return this.sum!.times(this.isMean ? 1 / this.numAccumulated() : 1);
  }

  protected override clear(): void {
    this.sum?.clear();
  }
}

/**
 * Gathers sparse gradients. `takeGrad` gives each row that any of them had, in the order of indices: the row's sum
 * divided by the number of gradients that had that row (not by the number of all), or for `'SUM'` its sum. A row that
 * occurs more than once in a gradient is summed there and counts once.
 *
 * Source: `tf.SparseConditionalAccumulator`.
 */
export class SparseConditionalAccumulator extends ConditionalAccumulatorBase<IndexedSlices> {
  private sums: RowSums | null = null;
  /** Of the whole, as far as anybody has said. */
  private denseShape: Shape | null = null;

  /** @throws TypeError for a wrong kind, RangeError for a shape of what are no sizes, or of none. */
  constructor(dtype: DType, options: ConditionalAccumulatorOptions = {}) {
    super(dtype, options, 'sparse_conditional_accumulator');
    const { shape } = options;
    if (shape === undefined) return;
    if (shape.length === 0) throw new RangeError('shape must have at least one dimension, got []');
    this.denseShape = Object.freeze([...shape]);
    this.sums = new RowSums(dtype, this.denseShape.slice(1));
  }

  /**
   * Adds a gradient, unless it comes too late.
   *
   * @param localStep the step at which it was computed. Default: 0.
   * @returns whether it was accepted: whether localStep is not less than `globalStep`.
   * @throws TypeError for a wrong kind, RangeError for rows of another shape and indices out of range.
   */
  applyGrad(gradient: IndexedSlices, localStep = 0): boolean {
    const isFresh = this.isFresh(localStep);
    if (!(gradient instanceof IndexedSlices)) {
      throw new TypeError(`gradient must be IndexedSlices, got ${shown(gradient)}`);
    }
    const { values, indices } = gradient;
    checkDTypeOf(values, this.dtype);
    if (this.sums !== null) checkShapeOf('values of gradient', values.shape, [indices.length, ...this.sums.row]);
    if (gradient.denseShape !== null && this.denseShape !== null) {
      checkShapeOf('denseShape of gradient', gradient.denseShape, this.denseShape, 'is');
    }
    checkIndices(indices, (this.denseShape ?? gradient.denseShape)?.[0] ?? Infinity);
    void values.raw;
    if (isFresh) {
      this.denseShape ??= gradient.denseShape;
      this.sums ??= new RowSums(this.dtype, values.shape.slice(1));
      this.sums.add(values, indices);
      this.counted();
    }
    markSpent(values);
    return isFresh;
  }

  /** @internal */
  override result(): IndexedSlices {
    return this.sums!.slices(this.isMean, this.denseShape);
  }

  protected override clear(): void {
    this.sums?.clear();
  }
}

/** @throws TypeError or RangeError unless `value` is a ReductionType. */
export function checkReductionType(value: unknown): asserts value is ReductionType {
  if (value !== 'MEAN' && value !== 'SUM') {
    throw new RangeError(`reductionType must be 'MEAN' or 'SUM', got ${shown(value)}`);
  }
}

function toTensor(gradient: unknown, shape: Shape | undefined): Tensor {
  if (gradient instanceof Tensor) return gradient;
  if (gradient instanceof Variable) return gradient.value;
  if (!isFloatArray(gradient)) {
    throw new TypeError(`gradient must be a Tensor, a Variable or a typed array, got ${shown(gradient)}`);
  }
  const flat = alias(gradient);
  return shape !== undefined && shape.reduce((size, dim) => size * dim, 1) === flat.size ? flat.view(shape) : flat;
}

function checkDTypeOf(values: Tensor, dtype: DType): void {
  if (values.dtype !== dtype) throw new TypeError(`gradient is ${values.dtype}, expected ${dtype}`);
}

function checkShapeOf(what: string, shape: Shape, expected: Shape, verb = 'has shape'): void {
  if (sameShape(shape, expected)) return;
  throw new RangeError(`${what} ${verb} ${showShape(shape)}, expected ${showShape(expected)}`);
}

function checkIndices(indices: Int32Array, rows: number): void {
  const bad = indices.findIndex((index) => index < 0 || index >= rows);
  if (bad < 0) return;
  const expected = rows === Infinity ? '0 or more' : `0 to ${rows} (exclusive)`;
  throw new RangeError(`gradient has indices[${bad}] = ${indices[bad]}, expected ${expected}`);
}
