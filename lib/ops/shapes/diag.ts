import { record, toAnyTensor, type TensorLike } from '../../autodiff/tape';
import { checkNumber } from '../../checks';
import { newArray } from '../../tensor/arrays';
import type { DType, TensorDType } from '../../tensor/dtype';
import { showShape, stridesOf, type Shape } from '../../tensor/shape';
import type { AnyTensor, Tensor } from '../../tensor/tensor';
import { copyPart, known, placed, taken, zeros, type View } from '../layout';
import { selected } from './where';

/**
 * Matrices with these numbers on their diagonals, 0 elsewhere.
 *
 * Gradient: dy's diagonals.
 *
 * @param x [..., n], of any type
 * @returns [..., n, n]
 * @throws TypeError for an input of a wrong kind, RangeError for x without a dimension.
 * Source: `tf.linalg.diag`.
 */
export function diag<D extends TensorDType = DType>(x: TensorLike | Tensor<D>): Tensor<D> {
  const input = toAnyTensor<D>('x', x);
  const n = input.shape.at(-1);
  if (n === undefined) throw new RangeError('x has shape []: it must have at least one dimension');
  const shape = [...input.shape, n];
  const view = diagonalOf(shape);
  const y = zeros(input.dtype, shape);
  copyPart(y, view, input);
  return record([input], y, (dy) => [taken(dy, view)]);
}

/**
 * The diagonals of matrices.
 *
 * Gradient: matrices with dy on their diagonals, 0 elsewhere.
 *
 * @param x [..., m, n], of any type
 * @returns [..., min(m, n)]
 * @throws TypeError for an input of a wrong kind, RangeError for x without two dimensions.
 * Source: `tf.linalg.diag_part`.
 */
export function diagPart<D extends TensorDType = DType>(x: TensorLike | Tensor<D>): Tensor<D> {
  const input = toAnyTensor<D>('x', x);
  const { shape } = input;
  checkMatrices(shape);
  const view = diagonalOf(shape);
  return record([input], taken(input, view), (dy) => [placed(dy, view, shape)]);
}

function checkMatrices(shape: Shape): void {
  if (shape.length < 2) throw new RangeError(`x has shape ${showShape(shape)}: it must have at least two dimensions`);
}

function diagonalOf(shape: Shape): View {
  const steps = stridesOf(shape);
  const [m, n] = shape.slice(-2) as [number, number];
  return { shape: [...shape.slice(0, -2), Math.min(m, n)], start: 0, steps: [...steps.slice(0, -2), n + 1] };
}

/**
 * Matrices with only what is near their diagonals, 0 elsewhere: y[i, j] = x[i, j] where i - j ≤ numLower and
 * j - i ≤ numUpper, of which a negative one does not count. So (-1, 0) is the lower triangle, (0, -1) the upper one.
 *
 * Gradient: the same part of dy.
 *
 * @param x [..., m, n], of any type
 * @throws TypeError for arguments of a wrong kind, RangeError for x without two dimensions.
 * Source: `tf.linalg.band_part`.
 */
export function bandPart<D extends TensorDType = DType>(
  x: TensorLike | Tensor<D>,
  numLower: number,
  numUpper: number,
): Tensor<D> {
  const input = toAnyTensor<D>('x', x);
  const { shape } = input;
  checkNumber('numLower', numLower);
  checkNumber('numUpper', numUpper);
  checkMatrices(shape);
  const [m, n] = shape.slice(-2) as [number, number];
  const mask = newArray('bool', m * n);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      mask[i * n + j] = Number((numLower < 0 || i - j <= numLower) && (numUpper < 0 || j - i <= numUpper));
    }
  }
  const isNear = known(mask, 'bool', [m, n]);
  const nearOf = <E extends TensorDType>(of: Tensor<E>): Tensor<E> => selected(isNear, of, zeros(of.dtype, []), shape);
  return record([input as AnyTensor], nearOf(input), (dy) => [nearOf(dy)]);
}
