import { isFollowed } from '../autodiff/tape';
import { shown } from '../checks';
import { kernels } from '../tensor/trace';
import { maximum, minimum } from '../ops';
import { binary } from '../ops/primitives';
import { isFloatArray, newArray } from '../tensor/arrays';
import type { FloatArray } from '../tensor/dtype';
import { broadcastShapes, sameShape, showShape } from '../tensor/shape';
import { alias, aliasOfGiven, checkFloats, isTensor, Tensor } from '../tensor/tensor';
import { checkInPlace, valuesOf, type Clippable, type Clipped, type ClipOptions } from './kinds';
import { refuseInPlace, rewritten, withValues } from './write';

/**
 * max(min(t, clipValueMax), clipValueMin), element by element: where min > max, min wins. NaN stays NaN.
 * Of IndexedSlices only the stored values are clipped.
 *
 * @param clipValueMin the lower bound: a number, or a tensor that broadcasts against `t` without growing it.
 * @param clipValueMax the upper bound, likewise.
 * @returns the kind of `t`, with memory of its own unless `inPlace`.
 * @throws TypeError for a wrong kind, RangeError for bounds that do not broadcast to the shape of `t`.
 * Source: `tf.clip_by_value`.
 */
export function clipByValue<T extends Clippable>(
  t: T,
  clipValueMin: number | Tensor | FloatArray,
  clipValueMax: number | Tensor | FloatArray,
  options: ClipOptions & { inPlace: true },
): T;
export function clipByValue<T extends Clippable>(
  t: T,
  clipValueMin: number | Tensor | FloatArray,
  clipValueMax: number | Tensor | FloatArray,
  options?: ClipOptions,
): Clipped<T>;
export function clipByValue(
  t: Clippable,
  clipValueMin: number | Tensor | FloatArray,
  clipValueMax: number | Tensor | FloatArray,
  options: ClipOptions = {},
): Clippable {
  const inPlace = checkInPlace(options);
  const values = valuesOf('t', t);
  const high = toBound('clipValueMax', clipValueMax, values);
  const low = toBound('clipValueMin', clipValueMin, values);
  if ([values, low, high].some((x) => x instanceof Tensor && isFollowed(x))) {
    refuseInPlace(inPlace);
    return withValues(t, maximum(minimum(values, high), low));
  }
  if (typeof low === 'number' && typeof high === 'number') {
    return rewritten(t, values, inPlace, (out) => kernels.clipByValue(out, values.operand, low, high));
  }
  const tensorOf = (bound: number | Tensor): Tensor =>
    bound instanceof Tensor ? bound : alias(newArray(values.dtype, 1).fill(bound), values.dtype, []);
  return rewritten(t, values, inPlace, (out) => {
    out.set(binary('maximum', binary('minimum', values, tensorOf(high)), tensorOf(low)).data);
  });
}

function toBound(name: string, bound: unknown, values: Tensor): number | Tensor {
  if (typeof bound === 'number') return bound;
  if (!isTensor(bound) && !isFloatArray(bound)) {
    throw new TypeError(`${name} must be a number, a Tensor or a typed array, got ${shown(bound)}`);
  }
  const tensor = isTensor(bound) ? bound : aliasOfGiven(bound);
  checkFloats(name, tensor);
  const shape = broadcastShapes(values.shape, tensor.shape);
  if (shape === null || !sameShape(shape, values.shape)) {
    throw new RangeError(
      `${name} has shape ${showShape(tensor.shape)}, which does not broadcast to ${showShape(values.shape)}`,
    );
  }
  if (tensor.dtype !== values.dtype) {
    throw new TypeError(`${name} is ${tensor.dtype}, expected ${values.dtype}`);
  }
  return tensor.size === 1 && !isFollowed(tensor) ? tensor.data[0]! : tensor;
}
