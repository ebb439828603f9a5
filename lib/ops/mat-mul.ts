import { checkOptions, type NamesOf } from '../options';
import { checkBoolean } from '../checks';
import { broadcastShapes, showShape, sizeOf } from '../tensor/shape';
import type { Tensor } from '../tensor/tensor';
import { multiplied, productGradients } from './primitives';
import { reshape } from './reshape';
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
 * @param b op(b) is [k, n], or [..., k, n]. Leading dimensions broadcast as in NumPy: one of size 1, or that is missing,
 * repeats, and its gradient is the sum over the repetitions.
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
  // Many matrices times one are one matrix of all their rows times that one.
  if (left.shape.length > 2 && right.shape.length === 2 && !transposeA) {
    const rows = reshape(left, [sizeOf(left.shape.slice(0, -1)), left.shape.at(-1)!]);
    const product = matMul(rows, right, { transposeB });
    return reshape(product, [...left.shape.slice(0, -1), product.shape[1]!]);
  }
  const product = multiplied(left, right, transposeA, transposeB);
  return record([left, right], product, (dc, needed) =>
    productGradients(left, right, transposeA, transposeB, dc, needed),
  );
}

function checkShapes({ shape: a }: Tensor, { shape: b }: Tensor, transposeA: boolean, transposeB: boolean): void {
  const refuse = (why: string): never => {
    throw new RangeError(`a has shape ${showShape(a)}, b has shape ${showShape(b)}: ${why}`);
  };
  if (a.length < 2 || b.length < 2) refuse('both must have at least two dimensions');
  const inner = a[a.length - (transposeA ? 2 : 1)];
  const other = b[b.length - (transposeB ? 1 : 2)];
  if (inner !== other) refuse(`inner dimensions ${inner} and ${other} must be equal`);
  if (broadcastShapes(a.slice(0, -2), b.slice(0, -2)) === null) {
    refuse('leading dimensions must be equal, or 1 or missing where one repeats');
  }
}
