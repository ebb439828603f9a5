import { shown } from '../checks';
import { showShape, sizeOf } from '../tensor/shape';
import type { DType, TensorDType } from '../tensor/dtype';
import type { AnyTensor, Tensor } from '../tensor/tensor';
import { reshaped } from './primitives';
import { record, toAnyTensor, type TensorLike } from '../autodiff/tape';

/**
 * The same values, row-major, in another shape of the same size, over the same memory.
 *
 * @param x of any type
 * @param shape one dimension may be -1: as many as the size leaves for it.
 * @throws TypeError for arguments of a wrong kind, RangeError for a shape of another size.
 * Source: `tf.reshape`.
 */
export function reshape<D extends TensorDType = DType>(x: TensorLike | Tensor<D>, shape: readonly number[]): Tensor<D> {
  const input = toAnyTensor<D>('x', x);
  return record([input], reshaped(input, completed(input, shape)), (dy) => [reshaped(dy, input.shape)]);
}

function completed(x: AnyTensor, shape: unknown): number[] {
  if (!Array.isArray(shape)) throw new TypeError(`shape must be an array of sizes, got ${shown(shape)}`);
  const dims = shape as unknown[];
  const stray = dims.findIndex((dim) => typeof dim !== 'number');
  if (stray >= 0) throw new TypeError(`shape must hold numbers, got ${shown(dims[stray])}`);
  const sizes = dims as number[];
  const refuse = (why: string): never => {
    throw new RangeError(`x has shape ${showShape(x.shape)}, shape is ${showShape(sizes)}: ${why}`);
  };
  if (sizes.some((dim) => !Number.isSafeInteger(dim) || dim < -1)) refuse('sizes must be whole numbers, or -1');
  const open = sizes.indexOf(-1);
  if (open !== sizes.lastIndexOf(-1)) refuse('only one size can be -1');
  const known = sizeOf(sizes.filter((dim) => dim !== -1));
  if (open < 0 && known !== x.size) refuse(`sizes ${x.size} and ${known} must be equal`);
  if (open < 0) return [...sizes];
  if (known === 0) refuse('-1 is undetermined beside a size of 0');
  if (x.size % known !== 0) refuse(`${x.size} elements are no multiple of ${known}`);
  return sizes.map((dim) => (dim === -1 ? x.size / known : dim));
}
