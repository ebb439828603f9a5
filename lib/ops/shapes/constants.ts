import { allocate } from '../../autodiff/scope';
import { toAnyTensor, type TensorLike } from '../../autodiff/tape';
import { checkNumber, checkTensorDType } from '../../checks';
import { checkOptions, type NamesOf } from '../../options';
import { newArray } from '../../tensor/arrays';
import type { DType, TensorDType } from '../../tensor/dtype';
import { checkShape, sizeOf, type Shape } from '../../tensor/shape';
import type { Tensor } from '../../tensor/tensor';
import { kernels } from '../../tensor/trace';
import { copyPart, known, zeros as zerosOf, type View } from '../layout';
import { checkCount } from './checks';

function filled<D extends TensorDType>(shape: Shape, value: number, dtype: D): Tensor<D> {
  checkShape('shape', shape);
  checkTensorDType('dtype', dtype);
  const fits = dtype === 'int32' ? value === (value | 0) : dtype !== 'bool' || value === 0 || value === 1;
  if (!fits) throw new RangeError(`value must be one of ${dtype}, got ${value}`);
  const y = allocate(dtype, [...shape], sizeOf(shape));
  kernels.fill(y.operand, value);
  return y;
}

/**
 * A tensor of zeros, or of false.
 *
 * @param dtype default: `'float32'`.
 * @throws TypeError for arguments of a wrong kind, RangeError for a negative size.
 * Source: `tf.zeros`.
 */
export function zeros<D extends TensorDType = DType>(shape: readonly number[], dtype?: D): Tensor<D> {
  return filled(shape, 0, dtype ?? ('float32' as D));
}

/**
 * A tensor of ones, or of true.
 *
 * @param dtype default: `'float32'`.
 * @throws TypeError for arguments of a wrong kind, RangeError for a negative size.
 * Source: `tf.ones`.
 */
export function ones<D extends TensorDType = DType>(shape: readonly number[], dtype?: D): Tensor<D> {
  return filled(shape, 1, dtype ?? ('float32' as D));
}

/**
 * A tensor of one value.
 *
 * @param value of bool 0 or 1.
 * @param dtype default: `'float32'`.
 * @throws TypeError for arguments of a wrong kind, RangeError for a negative size, or a value that the dtype does not have.
 * Source: `tf.fill`.
 */
export function fill<D extends TensorDType = DType>(shape: readonly number[], value: number, dtype?: D): Tensor<D> {
  checkNumber('value', value);
  return filled(shape, value, dtype ?? ('float32' as D));
}

/**
 * Zeros of x's shape and dtype. No gradient flows.
 *
 * @throws TypeError when x is not a tensor, a variable, a typed array or a number.
 * Source: `tf.zeros_like`.
 */
export function zerosLike<D extends TensorDType = DType>(x: TensorLike | Tensor<D>): Tensor<D> {
  const { shape, dtype } = toAnyTensor<D>('x', x);
  return filled(shape, 0, dtype);
}

/**
 * Ones of x's shape and dtype. No gradient flows.
 *
 * @throws TypeError when x is not a tensor, a variable, a typed array or a number.
 * Source: `tf.ones_like`.
 */
export function onesLike<D extends TensorDType = DType>(x: TensorLike | Tensor<D>): Tensor<D> {
  const { shape, dtype } = toAnyTensor<D>('x', x);
  return filled(shape, 1, dtype);
}

export interface EyeOptions<D extends TensorDType = DType> {
  /** Default: as many as rows. */
  numColumns?: number;
  /** Dimensions in front, for each index of which there is a matrix. Default: none. */
  batchShape?: readonly number[];
  /** Default: `'float32'`. */
  dtype?: D;
}

const eyeNames: NamesOf<EyeOptions> = { numColumns: true, batchShape: true, dtype: true };

/**
 * Identity matrices: 1 on the diagonal, 0 elsewhere.
 *
 * @returns [...batchShape, numRows, numColumns]
 * @throws TypeError for arguments of a wrong kind, RangeError for a negative size.
 * Source: `tf.eye`.
 */
export function eye<D extends TensorDType = DType>(numRows: number, options: EyeOptions<D> = {}): Tensor<D> {
  checkOptions('options', options, eyeNames);
  const { numColumns = numRows, batchShape = [], dtype = 'float32' as D } = options;
  checkCount('numRows', numRows);
  checkCount('numColumns', numColumns);
  checkShape('batchShape', batchShape);
  checkTensorDType('dtype', dtype);
  const matrices = sizeOf(batchShape);
  const y = zerosOf(dtype, [...batchShape, numRows, numColumns]);
  const diagonal: View = {
    shape: [matrices, Math.min(numRows, numColumns)],
    start: 0,
    steps: [numRows * numColumns, numColumns + 1],
  };
  copyPart(y, diagonal, filled([], 1, dtype), { shape: diagonal.shape, start: 0, steps: [0, 0] });
  return y;
}

/**
 * So many numbers from `start` to `stop`, both among them, equally far from each other; `start` alone where there is one.
 *
 * @param dtype `'float32'` or `'float64'`. Default: `'float32'`.
 * @throws TypeError for arguments of a wrong kind, RangeError for less than one.
 * Source: `tf.linspace`.
 */
export function linspace(start: number, stop: number, num: number, dtype: DType = 'float32'): Tensor {
  checkNumber('start', start);
  checkNumber('stop', stop);
  checkCount('num', num);
  if (num < 1) throw new RangeError(`num must be at least 1, got ${num}`);
  checkTensorDType('dtype', dtype);
  const values = newArray(dtype, num);
  const step = num === 1 ? 0 : (stop - start) / (num - 1);
  for (let i = 0; i < num; i++) values[i] = i > 0 && i === num - 1 ? stop : start + i * step;
  return known(values, dtype, [num]);
}

/**
 * The numbers from `start` on, each `delta` from the one before, `limit` not among them.
 *
 * @param limit default: `start`, and the first number is 0.
 * @param delta default: 1.
 * @param dtype default: `'int32'`, which has whole numbers only.
 * @throws TypeError for arguments of a wrong kind, RangeError for a delta of 0, one away from the limit, or numbers that the
 * dtype does not have.
 * Source: `tf.range`.
 */
export function range<D extends TensorDType = 'int32'>(start: number, limit?: number, delta = 1, dtype?: D): Tensor<D> {
  const [from, to] = limit === undefined ? [0, start] : [start, limit];
  checkNumber('start', from);
  checkNumber('limit', to);
  checkNumber('delta', delta);
  const isWhole = from === (from | 0) && delta === (delta | 0);
  const own = dtype ?? ('int32' as D);
  checkTensorDType('dtype', own);
  const count = Math.ceil((to - from) / delta);
  if (!(delta !== 0 && count >= 0 && count <= 2 ** 31)) {
    throw new RangeError(`there is no range from ${from} to ${to} by ${delta}`);
  }
  const last = from + Math.max(0, count - 1) * delta;
  if (own === 'bool' || (own === 'int32' && !(isWhole && last === (last | 0)))) {
    throw new RangeError(`a range from ${from} to ${to} by ${delta} is none of ${own}: name another dtype`);
  }
  const values = newArray(own, count);
  for (let i = 0; i < count; i++) values[i] = from + i * delta;
  return known(values, own, [count]);
}
