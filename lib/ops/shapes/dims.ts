import { record, toAnyTensor, type TensorLike } from '../../autodiff/tape';
import { checkOptions, type NamesOf } from '../../options';
import type { DType, TensorDType } from '../../tensor/dtype';
import { normalizeAxes, showShape } from '../../tensor/shape';
import type { Tensor } from '../../tensor/tensor';
import { reshaped } from '../primitives';
import { positionOf } from './checks';

/**
 * The same values with a dimension of size 1 more, over the same memory.
 *
 * @param x of any type
 * @param axis where it is put in; a negative one counts from the end, -1 puts it last.
 * @throws TypeError for arguments of a wrong kind, RangeError for a place that there is not.
 * Source: `tf.expand_dims`.
 */
export function expandDims<D extends TensorDType = DType>(x: TensorLike | Tensor<D>, axis: number): Tensor<D> {
  const input = toAnyTensor<D>('x', x);
  const position = positionOf('axis', axis, input.shape.length + 1);
  const shape = [...input.shape.slice(0, position), 1, ...input.shape.slice(position)];
  return record([input], reshaped(input, shape), (dy) => [reshaped(dy, input.shape)]);
}

export interface SqueezeOptions {
  /** Which dimensions go; negative ones count from the end. Default: all of size 1. */
  axes?: number | readonly number[];
}

const squeezeNames: NamesOf<SqueezeOptions> = { axes: true };

/**
 * The same values without dimensions of size 1, over the same memory.
 *
 * @param x of any type
 * @throws TypeError for arguments of a wrong kind, RangeError for a dimension that x does not have, or of another size.
 * Source: `tf.squeeze`.
 */
export function squeeze<D extends TensorDType = DType>(
  x: TensorLike | Tensor<D>,
  options: SqueezeOptions = {},
): Tensor<D> {
  checkOptions('options', options, squeezeNames);
  const input = toAnyTensor<D>('x', x);
  const { shape } = input;
  const { axes } = options;
  const positions = axes === undefined ? [] : normalizeAxes('axes', axes, shape.length);
  const wrong = positions.find((d) => shape[d] !== 1);
  if (wrong !== undefined) {
    throw new RangeError(`x has shape ${showShape(shape)}: dimension ${wrong} is not of size 1`);
  }
  const kept = shape.filter((size, d) => (axes === undefined ? size !== 1 : !positions.includes(d)));
  return record([input], reshaped(input, kept), (dy) => [reshaped(dy, shape)]);
}
