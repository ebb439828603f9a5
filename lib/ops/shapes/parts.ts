import { record, toAnyTensor, type TensorLike } from '../../autodiff/tape';
import { inScope } from '../../autodiff/scope';
import { wayBack } from '../../autodiff/way-back';
import type { DType, TensorDType } from '../../tensor/dtype';
import type { AnyTensor, Tensor } from '../../tensor/tensor';
import { copyPart, placed, taken, zeros, type View } from '../layout';

/**
 * Parts of x that do not overlap, each a tensor. On the way back their gradients go into one tensor, which x gets as its own.
 */
export function partsOf<D extends TensorDType>(x: Tensor<D>, views: readonly View[]): Tensor<D>[] {
  const all = inScope(x.view(x.shape));
  record([x], all, (dy) => {
    sum = null;
    return [dy];
  });
  let sum: Tensor | null = null;
  return views.map((view) =>
    record([all], taken(x, view), (dy) => {
      if (wayBack !== null) return [placed(dy, view, x.shape)];
      const isFirst = sum === null;
      sum ??= zeros(dy.dtype, x.shape);
      copyPart(sum, view, dy);
      return [isFirst ? sum : null]; // what is written later is there when the gradient of all parts is asked for
    }),
  );
}

/** Tensors of one type. @throws TypeError for others. */
export function toTensorsOfOne<D extends TensorDType = DType>(
  name: string,
  values: readonly (TensorLike | Tensor<D>)[],
): Tensor<D>[] {
  const tensors = values.map((value, i) => toAnyTensor<D>(`${name}[${i}]`, value));
  const [first] = tensors;
  const other = tensors.findIndex(({ dtype }) => dtype !== first!.dtype);
  if (other < 0) return tensors;
  throw new TypeError(
    `${name}[0] is ${first!.dtype} and ${name}[${other}] is ${(tensors[other] as AnyTensor).dtype}; they must be the same`,
  );
}
