import { binary } from '../ops/primitives';
import { newArray } from '../tensor/arrays';
import type { DType, FloatArray } from '../tensor/dtype';
import { IndexedSlices } from '../tensor/indexed-slices';
import { Memory } from '../tensor/memory';
import { native } from '../native';
import { frozen, showShape, sizeOf, type Shape } from '../tensor/shape';
import { countsEntry, type StateEntry, type StateSource } from '../tensor/state';
import { alias, Tensor } from '../tensor/tensor';

/** Sums of the rows of sparse gradients, each with the number of gradients that had it. */
export class RowSums {
  private readonly columns: number;
  /** Where the row of an index is. */
  private readonly positions = new Map<number, number>();
  /** Rows by position; memory for more of them than there are, and kept when they are cleared. */
  private sums: FloatArray;
  private reserved = 0;
  private readonly counts: number[] = [];
  /** The number of the gradient that last had the row. */
  private readonly lastSeen: number[] = [];
  private added = 0;

  constructor(
    private readonly dtype: DType,
    /** The shape of a row. */
    readonly row: Shape,
  ) {
    this.columns = sizeOf(row);
    this.sums = newArray(dtype, 0);
  }

  /** @param values rows of this shape and dtype. Rows with the same index are summed and count once. */
  add(values: Tensor, indices: Int32Array): void {
    this.added++;
    const at = Int32Array.from(indices, (index) => this.seen(index));
    this.reserve(this.positions.size);
    native.scatterAdd(this.sums, values.raw, at, this.reserved, this.columns, values.factor);
  }

  /** The rows in the order of their indices, each divided by the number of gradients that had it where `isMean`. */
  slices(isMean: boolean, denseShape: Shape | null): IndexedSlices {
    const indices = Int32Array.from(this.positions.keys()).sort();
    const at = indices.map((index) => this.positions.get(index)!);
    const values = new Tensor(Memory.take(this.dtype, at.length * this.columns), [at.length, ...this.row]);
    native.gather(values.raw, this.sums, at, this.reserved, this.columns);
    if (!isMean || values.size === 0) return new IndexedSlices(values, indices, denseShape);
    const counts = newArray(this.dtype, at.length).map((_, i) => this.counts[at[i]!]!);
    const means = binary('divide', values, alias(counts, this.dtype, [at.length, ...this.row.map(() => 1)]));
    values.dispose();
    return new IndexedSlices(means, indices, denseShape);
  }

  /** `<prefix>/indices`, `/values` and `/row_counts`, in the order in which the rows came; also of no rows. */
  state(prefix: string): StateEntry[] {
    const { dtype, row, columns } = this;
    const n = this.positions.size;
    return [
      { key: `${prefix}/indices`, dtype: 'int32', shape: [n], memory: Int32Array.from(this.positions.keys()) },
      { key: `${prefix}/values`, dtype, shape: [n, ...row], memory: this.sums.subarray(0, n * columns) },
      countsEntry(`${prefix}/row_counts`, this.counts),
    ];
  }

  /**
   * Sums with the source's rows.
   * @param row default: the shape that the rows have.
   * @param rows how many there are in the whole.
   */
  static restored(source: StateSource, prefix: string, dtype: DType, row: Shape | null, rows: number): RowSums {
    const { memory: indices, shape } = source.take(`${prefix}/indices`, 'int32');
    const n = indices.length;
    if (shape.length !== 1) source.refuse(`${prefix}/indices`, `has shape ${showShape(shape)}, expected a list`);
    const values = source.take(`${prefix}/values`, dtype, row === null ? undefined : [n, ...row]);
    if (values.shape[0] !== n) source.refuse(`${prefix}/values`, `does not have a row for each of ${n} indices`);
    const sums = new RowSums(dtype, frozen(values.shape.slice(1)));
    indices.forEach((index, at) => {
      if (index < 0 || index >= rows) source.refuse(`${prefix}/indices`, `holds ${index}, which is no row`);
      sums.positions.set(index, at);
    });
    if (sums.positions.size !== n) source.refuse(`${prefix}/indices`, 'holds an index twice');
    for (const count of source.takeCounts(`${prefix}/row_counts`, [n])) {
      sums.counts.push(count);
      sums.lastSeen.push(0); // `add` numbers gradients anew, from 1
    }
    sums.reserve(n);
    sums.sums.set(values.memory);
    return sums;
  }

  clear(): void {
    this.sums.fill(0, 0, this.positions.size * this.columns);
    this.positions.clear();
    this.counts.length = 0;
    this.lastSeen.length = 0;
    this.added = 0;
  }

  /** The position of a row that the present gradient has. */
  private seen(index: number): number {
    let at = this.positions.get(index);
    if (at === undefined) {
      at = this.positions.size;
      this.positions.set(index, at);
      this.counts.push(0);
      this.lastSeen.push(0);
    }
    if (this.lastSeen[at] !== this.added) this.counts[at]!++;
    this.lastSeen[at] = this.added;
    return at;
  }

  private reserve(rows: number): void {
    if (rows <= this.reserved) return;
    this.reserved = Math.max(rows, 2 * this.reserved);
    const larger = newArray(this.dtype, this.reserved * this.columns);
    larger.set(this.sums);
    this.sums = larger;
  }
}
