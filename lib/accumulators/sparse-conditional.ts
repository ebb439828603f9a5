import { shown } from '../checks';
import type { DType } from '../tensor/dtype';
import { IndexedSlices } from '../tensor/indexed-slices';
import { spend } from '../tensor/memory';
import { frozen, type Shape } from '../tensor/shape';
import { countsEntry, type StateEntry, type StateSource } from '../tensor/state';
import {
  checkDTypeOf,
  checkShapeOf,
  ConditionalAccumulatorBase,
  type ConditionalAccumulatorOptions,
} from './conditional-base';
import { RowSums } from './row-sums';

/**
 * Gathers sparse gradients. `takeGrad` gives each row that any of them had, in the order of indices: the row's sum
 * divided by the number of gradients that had that row (not by the number of all), or for `'SUM'` its sum. A row that
 * occurs more than once in a gradient is summed there and counts once.
 *
 * Source: `tf.SparseConditionalAccumulator`.
 */
export class SparseConditionalAccumulator extends ConditionalAccumulatorBase<IndexedSlices> {
  private sums: RowSums | null = null;
  /** The shape of the dense gradient: from the options, else from the first gradient that has one. */
  private denseShape: Shape | null = null;
  /** The shape that it was made with, if any. */
  private readonly givenShape: Shape | null;

  /** @throws TypeError for a wrong kind, RangeError for a shape that is empty or holds anything but sizes. */
  constructor(dtype: DType, options: ConditionalAccumulatorOptions = {}) {
    super(dtype, options, 'sparse_conditional_accumulator');
    const { shape } = options;
    this.givenShape = shape === undefined ? null : frozen(shape);
    if (shape === undefined) return;
    if (shape.length === 0) throw new RangeError('shape must have at least one dimension, got []');
    this.denseShape = this.givenShape!;
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
    spend(values.memory);
    return isFresh;
  }

  /** @internal */
  override result(): IndexedSlices {
    return this.sums!.slices(this.isMean, this.denseShape);
  }

  protected override gathered(): StateEntry[] {
    const shape = this.denseShape === null ? [] : [countsEntry(`${this.name}/dense_shape`, this.denseShape)];
    return [...shape, ...(this.sums?.state(this.name) ?? [])];
  }

  protected override planGathered(source: StateSource, count: number): () => void {
    const { name } = this;
    const shape = this.takeShape(source, `${name}/dense_shape`, this.givenShape);
    if (shape?.length === 0) source.refuse(`${name}/dense_shape`, 'is empty');
    const hasRows = this.givenShape !== null || count > 0 || source.has(`${name}/values`);
    const row = shape?.slice(1) ?? null;
    const sums = hasRows ? RowSums.restored(source, name, this.dtype, row, shape?.[0] ?? Infinity) : null;
    return () => {
      this.denseShape = shape;
      this.sums = sums;
    };
  }

  protected override clear(): void {
    this.sums?.clear();
  }
}

function checkIndices(indices: Int32Array, rows: number): void {
  const bad = indices.findIndex((index) => index < 0 || index >= rows);
  if (bad < 0) return;
  const expected = rows === Infinity ? '0 or more' : `0 to ${rows} (exclusive)`;
  throw new RangeError(`gradient has indices[${bad}] = ${indices[bad]}, expected ${expected}`);
}
