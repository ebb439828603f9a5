import { shown } from '../checks';
import { isFloatArray } from './arrays';
import type { FloatArray, Nested, TensorDType } from './dtype';
import { Memory } from './memory';
import { checkShape, frozen, sameShape, showShape, sizeOf, type Shape } from './shape';
import { alias, aliasOfGiven, checkFloats, isTensor, Tensor, tensor, type Int32Tensor } from './tensor';
import { kernels, trace } from './trace';

/**
 * A sparse gradient: rows, and which rows of the whole they are. Indices may repeat and need no order; rows with the
 * same index count as their sum.
 */
export class IndexedSlices {
  /** [n, ...row] */
  readonly values: Tensor;
  /** [n] */
  readonly indices: Int32Array;
  /** The shape of the whole, [rows, ...row], where it is known. */
  readonly denseShape: readonly number[] | null;

  /**
   * @param values [n, ...row]; a typed array takes its row's shape from `denseShape`, or is n equal parts.
   * @param indices n whole numbers.
   * @throws TypeError for what is no number, RangeError for sizes that do not fit or indices outside of 32 bits.
   */
  constructor(values: Tensor | FloatArray | Nested, indices: IndicesLike, denseShape?: readonly number[] | null) {
    this.indices = toIndices('indices', indices);
    if (denseShape !== undefined && denseShape !== null) checkShape('denseShape', denseShape);
    this.denseShape = denseShape ? frozen(denseShape) : null;
    this.values = toRows(values, this.indices.length, this.denseShape);
    if (this.values.shape[0] !== this.indices.length) {
      throw new RangeError(
        `values has ${this.values.shape[0] ?? 'no'} rows, indices has ${this.indices.length} elements; they must be equal`,
      );
    }
  }

  /** The element type of the values. */
  get dtype(): Tensor['dtype'] {
    return this.values.dtype;
  }

  /**
   * The whole as a dense tensor, rows with the same index summed in their order.
   * @throws Error without a denseShape, RangeError for an index outside of it.
   */
  toDense(): Tensor {
    if (this.denseShape === null) throw new Error('IndexedSlices without a denseShape cannot be made dense');
    const row = this.denseShape.slice(1);
    if (!sameShape(this.values.shape.slice(1), row)) {
      throw new RangeError(
        `values has rows of shape ${showShape(this.values.shape.slice(1))}, denseShape has rows of shape ${showShape(row)}`,
      );
    }
    const dense = new Tensor(Memory.take(this.dtype, sizeOf(this.denseShape)), this.denseShape);
    kernels.fill(dense.operand, 0);
    const rows = this.denseShape[0] ?? 1;
    const columns = rows === 0 ? 0 : dense.size / rows;
    const { memory, factor } = this.values;
    kernels.scatterAdd(dense.operand, memory.operand, this.indices, rows, columns, factor);
    return dense;
  }

  /** Gives the memory of the values back. */
  dispose(): void {
    this.values.dispose();
  }
}

/** What ops take for indices: whole numbers, or a tensor of them. */
export type IndicesLike = Int32Array | readonly number[] | Int32Tensor;

/** A gradient as `computeGradients` gives it. */
export type Gradient = Tensor | IndexedSlices;

/** What a gradient stores: all values, or those of its rows. */
export function storedValues(gradient: Gradient): Tensor {
  return gradient instanceof IndexedSlices ? gradient.values : gradient;
}

/**
 * Indices as `kernels` take them; in a trace an array may stand for those that the program computes.
 * @throws TypeError or RangeError unless `indices` are whole numbers of 32 bits.
 */
export function toIndices(name: string, indices: IndicesLike): Int32Array {
  if (indices instanceof Int32Array) return indices;
  if (isTensor(indices)) return indicesIn(name, indices);
  if (!Array.isArray(indices)) {
    const hint = ArrayBuffer.isView(indices) ? ': Int32Array.from makes one of it' : '';
    throw new TypeError(`${name} must be an Int32Array or an array of numbers, got ${shown(indices)}${hint}`);
  }
  const list = indices as readonly unknown[];
  return Int32Array.from(list, (index) => {
    if (typeof index !== 'number') {
      const hint = Array.isArray(index) ? ": tensor(values, undefined, 'int32') takes lists of lists" : '';
      throw new TypeError(`${name} must hold numbers, got ${shown(index)}${hint}`);
    }
    if (index !== (index | 0)) throw new RangeError(`${name} must hold whole numbers of 32 bits, got ${shown(index)}`);
    return index;
  });
}

function indicesIn(name: string, { dtype, memory }: Tensor<TensorDType>): Int32Array {
  if (dtype !== 'int32') throw new TypeError(`${name} is ${dtype}, expected int32: ops.cast makes it that`);
  const own = memory as Memory<'int32'>;
  return trace === null ? own.array : trace.indicesIn(own);
}

/**
 * The same as a tensor, for tasks: as `ownIndices`, of which nobody else writes the values before they are read.
 * @throws TypeError or RangeError unless they are whole numbers of 32 bits.
 */
export function ownIndexTensor(name: string, indices: IndicesLike): Int32Tensor {
  if (trace !== null && isTensor(indices)) {
    if (indices.dtype !== 'int32') indicesIn(name, indices);
    return indices;
  }
  const own = ownIndices(name, indices);
  return alias(own, 'int32', frozen(shapeOfIndices(indices, own)));
}

/** How many indices there are in each dimension. */
export function shapeOfIndices(indices: IndicesLike, array: Int32Array): Shape {
  return isTensor(indices) ? indices.shape : [array.length];
}

/**
 * The same as an array that nobody else writes: a gradient outlives its step, the caller's array may change before. What
 * is compiled reads the caller's in each run.
 */
export function ownIndices(name: string, indices: IndicesLike): Int32Array {
  const array = toIndices(name, indices);
  return trace === null && !Array.isArray(indices) ? array.slice() : array;
}

function toRows(values: Tensor | FloatArray | Nested, n: number, denseShape: readonly number[] | null): Tensor {
  if (values instanceof Tensor) {
    checkFloats('values', values);
    return values;
  }
  if (!isFloatArray(values)) return tensor(values, n === 0 && denseShape ? [0, ...denseShape.slice(1)] : undefined);
  const row = denseShape?.slice(1) ?? (values.length === n ? [] : [values.length / n]);
  if (sizeOf(row) * n !== values.length) {
    throw new RangeError(`values has ${values.length} elements, ${n} rows of shape ${showShape(row)} were expected`);
  }
  return aliasOfGiven(values, [n, ...row]);
}
