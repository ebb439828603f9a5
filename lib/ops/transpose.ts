import { shown } from '../checks';
import { normalizeAxes, showShape, stridesOf, type Shape } from '../tensor/shape';
import { isFloat, type DType, type TensorDType } from '../tensor/dtype';
import type { AnyTensor, Tensor } from '../tensor/tensor';
import { taken, type View } from './layout';
import { permuted, reshaped } from './primitives';
import { record, toAnyTensor, type TensorLike } from '../autodiff/tape';

/**
 * Dimensions in another order: y's dimension d is x's dimension perm[d].
 *
 * Where only dimensions of size 1 change places, y shares x's memory.
 *
 * @param x of any type
 * @param perm every dimension once; negative ones count from the end. Default: all in reverse order.
 * @throws TypeError for arguments of a wrong kind, RangeError when perm is no permutation of x's dimensions.
 * Source: `tf.transpose`.
 */
export function transpose<D extends TensorDType = DType>(
  x: TensorLike | Tensor<D>,
  perm?: readonly number[],
): Tensor<D> {
  const input = toAnyTensor<D>('x', x);
  const order = perm === undefined ? input.shape.map((_, d) => d).reverse() : checked(input, perm);
  const inverse = order.map((_, d) => order.indexOf(d));
  return record([input], inOrder(input, order), (dy) => [inOrder(dy, inverse)]);
}

function checked(x: AnyTensor, perm: unknown): number[] {
  if (!Array.isArray(perm)) throw new TypeError(`perm must be an array of dimensions, got ${shown(perm)}`);
  const order = perm as readonly number[];
  const rank = x.shape.length;
  if (normalizeAxes('perm', order, rank).length !== rank) {
    throw new RangeError(
      `x has shape ${showShape(x.shape)}, perm is [${order.join(', ')}]: it must name every dimension`,
    );
  }
  return order.map((axis) => (axis < 0 ? axis + rank : axis));
}

function inOrder<D extends TensorDType>(x: Tensor<D>, order: readonly number[]): Tensor<D> {
  const moving = order.filter((d) => x.shape[d] !== 1);
  const stays = moving.every((d, i) => i === 0 || moving[i - 1]! < d);
  if (!stays)
    return isFloat(x.dtype)
      ? (permuted(x as AnyTensor as Tensor, order) as AnyTensor as Tensor<D>)
      : taken(x, reordered(x.shape, order));
  return reshaped(
    x,
    order.map((d) => x.shape[d]!),
  );
}

function reordered(shape: Shape, order: readonly number[]): View {
  const steps = stridesOf(shape);
  return { shape: order.map((d) => shape[d]!), start: 0, steps: order.map((d) => steps[d]!) };
}
