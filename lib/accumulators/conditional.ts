import { shown } from '../checks';
import { isFloatArray } from '../tensor/arrays';
import type { DType, FloatArray } from '../tensor/dtype';
import { spend } from '../tensor/memory';
import { frozen, sizeOf, type Shape } from '../tensor/shape';
import { countsEntry, type StateEntry, type StateSource } from '../tensor/state';
import { aliasOfGiven, checkFloats, isTensor, type Tensor } from '../tensor/tensor';
import { Variable } from '../tensor/variable';
import {
  checkDTypeOf,
  checkShapeOf,
  ConditionalAccumulatorBase,
  type ConditionalAccumulatorOptions,
} from './conditional-base';
import { DenseSum } from './dense-sum';

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
  /** The shape that it was made with, if any. */
  private readonly givenShape: Shape | null;

  /** @throws TypeError for a wrong kind, RangeError for a shape that holds anything but sizes. */
  constructor(dtype: DType, options: ConditionalAccumulatorOptions = {}) {
    super(dtype, options, 'conditional_accumulator');
    this.givenShape = options.shape === undefined ? null : frozen(options.shape);
    if (this.givenShape !== null) this.sum = new DenseSum(dtype, this.givenShape);
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
    spend(values.memory);
    return isFresh;
  }

  /** @internal */
  override result(): Tensor {
    return this.sum!.times(this.isMean ? 1 / this.numAccumulated() : 1);
  }

  protected override gathered(): StateEntry[] {
    if (this.sum === null) return [];
    return [countsEntry(`${this.name}/shape`, this.sum.shape), ...this.sum.state(`${this.name}/sum`)];
  }

  protected override planGathered(source: StateSource, count: number): () => void {
    const shape = this.takeShape(source, `${this.name}/shape`, this.givenShape);
    const sum = shape && new DenseSum(this.dtype, shape);
    if (sum === null && count > 0) source.refuse(`${this.name}/count`, 'is not 0, but there is no shape of gradients');
    const restored = count > 0 ? sum!.restored(source, `${this.name}/sum`) : sum;
    return () => {
      this.sum?.clear();
      this.sum = restored;
    };
  }

  protected override clear(): void {
    this.sum?.clear();
  }
}

function toTensor(gradient: unknown, shape: Shape | undefined): Tensor {
  if (isTensor(gradient)) {
    checkFloats('gradient', gradient);
    return gradient;
  }
  if (gradient instanceof Variable) return gradient.value;
  if (!isFloatArray(gradient)) {
    throw new TypeError(`gradient must be a Tensor, a Variable or a typed array, got ${shown(gradient)}`);
  }
  const flat = aliasOfGiven(gradient);
  return shape !== undefined && sizeOf(shape) === flat.size ? flat.view(shape) : flat;
}
