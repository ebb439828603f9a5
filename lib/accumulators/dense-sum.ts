import { copyInto } from '../tensor/arrays';
import type { DType } from '../tensor/dtype';
import { Memory } from '../tensor/memory';
import { native } from '../native';
import { sizeOf, type Shape } from '../tensor/shape';
import { type StateEntry, type StateSource } from '../tensor/state';
import { Tensor, timesFactor } from '../tensor/tensor';

/** A sum of dense gradients: the first is copied, the others are added. */
export class DenseSum {
  private sum: Tensor | null = null;

  constructor(
    private readonly dtype: DType,
    readonly shape: Shape,
  ) {}

  /** @param values of this dtype and shape, or with `indices` rows of it. */
  add(values: Tensor, indices?: Int32Array): void {
    const isFirst = this.sum === null;
    this.sum ??= new Tensor(Memory.take(this.dtype, sizeOf(this.shape)), this.shape);
    const out = this.sum.raw;
    if (indices !== undefined) {
      if (isFirst) out.fill(0);
      const rows = this.shape[0]!;
      native.scatterAdd(out, values.raw, indices, rows, rows === 0 ? 0 : out.length / rows, values.factor);
    } else if (isFirst) {
      native.scale(out, values.raw, values.factor);
    } else {
      native.addScaled(out, values.raw, values.factor);
    }
  }

  /** The sum times a factor, which is all that averaging takes: a view of this memory. */
  times(factor: number): Tensor {
    return timesFactor(this.sum!, factor);
  }

  /** The sum as state; nothing before the first gradient. */
  state(key: string): StateEntry[] {
    return this.sum === null ? [] : [{ key, dtype: this.dtype, shape: this.shape, memory: this.sum.raw }];
  }

  /** A sum like this one with the source's values. */
  restored(source: StateSource, key: string): DenseSum {
    const { memory } = source.take(key, this.dtype, this.shape);
    const copy = new DenseSum(this.dtype, this.shape);
    copy.sum = new Tensor(Memory.take(this.dtype, sizeOf(this.shape)), this.shape);
    copyInto(copy.sum.raw, memory);
    return copy;
  }

  /** Leaves the memory to the views of it; the next gradient starts another sum. */
  clear(): void {
    this.sum?.dispose();
    this.sum = null;
  }
}
