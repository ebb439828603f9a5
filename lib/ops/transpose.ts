import { shown } from '../checks';
import { normalizeAxes, showShape } from '../tensor/shape';
import type { Tensor } from '../tensor/tensor';
import { permuted, reshaped } from './primitives';
import { record, toTensor, type TensorLike } from '../autodiff/tape';

/**
 * Dimensions in another order: y's dimension d is x's dimension perm[d].
 *
 * Where only dimensions of size 1 change places, y shares x's memory.
 *
 * @param perm every dimension once; negative ones count from the end. Default: all in reverse order.
 * @throws TypeError for arguments of a wrong kind, RangeError when perm is no permutation of x's dimensions.
 * Source: `tf.transpose`.
 */
export function transpose(x: TensorLike, perm?: readonly number[]): Tensor {
  const input = toTensor('x', x);
  const order = perm === undefined ? input.shape.map((_, d) => d).reverse() : checked(input, perm);
  const inverse = order.map((_, d) => order.indexOf(d));
  return record([input], inOrder(input, order), (dy) => [inOrder(dy, inverse)]);
}

function checked(x: Tensor, perm: unknown): number[] {
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

function inOrder(x: Tensor, order: readonly number[]): Tensor {
  const moving = order.filter((d) => x.shape[d] !== 1);
  const stays = moving.every((d, i) => i === 0 || moving[i - 1]! < d);
  if (!stays) return permuted(x, order);
  return reshaped(
    x,
    order.map((d) => x.shape[d]!),
  );
}
