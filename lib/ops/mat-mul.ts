import { checkOptions, type NamesOf } from '../options';
import { checkBoolean } from '../checks';
import { sameShape, showShape } from '../tensor/shape';
import type { Tensor } from '../tensor/tensor';
import { multiplied } from './primitives';
import { record, toTensors, type TensorLike } from '../autodiff/tape';

export interface MatMulOptions {
  /** Whether a is transposed before it is multiplied. Default: false. */
  transposeA?: boolean;
  /** Whether b is. Default: false. */
  transposeB?: boolean;
}

const matMulNames: NamesOf<MatMulOptions> = { transposeA: true, transposeB: true };

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
  checkOptions('options', options, matMulNames);
  const { transposeA = false, transposeB = false } = options;
  checkBoolean('transposeA', transposeA);
  checkBoolean('transposeB', transposeB);
  const [left, right] = toTensors('a', a, 'b', b);
  checkShapes(left, right, transposeA, transposeB);
  const product = multiplied(left, right, transposeA, transposeB);
  return record([left, right], product, (dc, needed) => [
    !needed[0]
      ? null
      : transposeA
        ? multiplied(right, dc, transposeB, true)
        : multiplied(dc, right, false, !transposeB),
    !needed[1] ? null : transposeB ? multiplied(dc, left, true, transposeA) : multiplied(left, dc, !transposeA, false),
  ]);
}

function checkShapes({ shape: a }: Tensor, { shape: b }: Tensor, transposeA: boolean, transposeB: boolean): void {
  const refuse = (why: string): never => {
    throw new RangeError(`a has shape ${showShape(a)}, b has shape ${showShape(b)}: ${why}`);
  };
  if (a.length < 2 || b.length < 2) refuse('both must have at least two dimensions');
  const inner = a[a.length - (transposeA ? 2 : 1)];
  const other = b[b.length - (transposeB ? 1 : 2)];
  if (inner !== other) refuse(`inner dimensions ${inner} and ${other} must be equal`);
  const isPlain = a.length === 2 && b.length === 2;
  if (!isPlain && !sameShape(a.slice(0, -2), b.slice(0, -2))) refuse('leading dimensions must be equal');
}
