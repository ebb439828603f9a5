import { checkBoolean, checkOptions } from '../../checks';
import type { FloatArray } from '../../dtype';
import { native } from '../../native';
import { sameShape, showShape, sizeOf } from '../../shape';
import type { Tensor } from '../../tensor';
import { record, toTensors, type TensorLike } from '../tape';
import { allocate } from '../scope';

export interface MatMulOptions {
  /** Whether a is transposed before it is multiplied. Default: false. */
  transposeA?: boolean;
  /** Whether b is. Default: false. */
  transposeB?: boolean;
}

/**
 * The matrix product c = op(a) op(b), op(a) being a or its transpose: c[i, j] = Σₚ op(a)[i, p] op(b)[p, j].
 *
 * With G the gradient of c, the gradients of op(a) and op(b) are G op(b)ᵀ and op(a)ᵀ G.
 *
 * @param a op(a) is [m, k]; or [..., m, k], a matrix for every index of the leading dimensions.
 * @param b op(b) is [k, n]; or [..., k, n] with the same leading dimensions: they do not broadcast.
 * @returns [m, n] or [..., m, n].
 * @throws TypeError for inputs of a wrong kind or of different dtypes, RangeError for shapes that do not fit.
 * Source: `tf.matmul`.
 */
export function matMul(a: TensorLike, b: TensorLike, options: MatMulOptions = {}): Tensor {
  checkOptions('options', options);
  const { transposeA = false, transposeB = false } = options;
  checkBoolean('transposeA', transposeA);
  checkBoolean('transposeB', transposeB);
  const [left, right] = toTensors('a', a, 'b', b);
  checkShapes(left, right, transposeA, transposeB);
  const product = multiply(left, right, transposeA, transposeB);
  return record([left, right], product, (dc, needed) => [
    !needed[0] ? null : transposeA ? multiply(right, dc, transposeB, true) : multiply(dc, right, false, !transposeB),
    !needed[1] ? null : transposeB ? multiply(dc, left, true, transposeA) : multiply(left, dc, !transposeA, false),
  ]);
}

function checkShapes(a: Tensor, b: Tensor, transposeA: boolean, transposeB: boolean): void {
  const refuse = (why: string): never => {
    throw new RangeError(`a has shape ${showShape(a.shape)}, b has shape ${showShape(b.shape)}: ${why}`);
  };
  if (a.shape.length < 2 || b.shape.length < 2) refuse('both must have at least two dimensions');
  const inner = a.shape.at(transposeA ? -2 : -1);
  const other = b.shape.at(transposeB ? -1 : -2);
  if (inner !== other) refuse(`inner dimensions ${inner} and ${other} must be equal`);
  if (!sameShape(a.shape.slice(0, -2), b.shape.slice(0, -2))) refuse('leading dimensions must be equal');
}

function multiply(a: Tensor, b: Tensor, transposeA: boolean, transposeB: boolean): Tensor {
  const lead = a.shape.slice(0, -2);
  const m = a.shape.at(transposeA ? -1 : -2)!;
  const k = a.shape.at(transposeA ? -2 : -1)!;
  const n = b.shape.at(transposeB ? -2 : -1)!;
  const count = sizeOf(lead);
  const c = allocate(a.dtype, [...lead, m, n], count * m * n);
  const part = (array: FloatArray, i: number): FloatArray => {
    const size = array.length / count;
    return count === 1 ? array : array.subarray(size * i, size * (i + 1));
  };
  const [out, left, right] = [c.raw, a.data, b.data];
  for (let i = 0; i < count; i++) {
    native.gemm(part(out, i), part(left, i), part(right, i), m, n, k, transposeA, transposeB, undefined, false);
  }
  return c;
}
