import { allocate, inScope } from '../autodiff/scope';
import { native } from '../native';
import { alignedArray, isFloatArray, lengthOf, newArray } from '../tensor/arrays';
import { rounded, type FloatArray } from '../tensor/dtype';
import { IndexedSlices } from '../tensor/indexed-slices';
import { alias, Tensor, timesFactor } from '../tensor/tensor';
import { trace } from '../tensor/trace';
import { Variable } from '../tensor/variable';
import type { Clippable } from './kinds';

// How a result comes about: as another factor, in memory of its own, or in place.

// A factor of 0 would not do: 0 · NaN is NaN.
export function zeroed(t: Clippable, values: Tensor, inPlace: boolean): Clippable {
  if (inPlace) {
    values.rewrite().fill(0);
    return t;
  }
  return rewritten(t, values, false, (out) => out.fill(0));
}

/** t times factor: for tensors a new factor, for typed arrays and in place new values. */
export function multiplied(t: Clippable, values: Tensor, factor: number, inPlace: boolean): Clippable {
  if (inPlace) {
    if (factor !== 1) native.scale(values.rewrite(), values.raw, factor);
    return t;
  }
  if (t instanceof Tensor) return inScope(timesFactor(values, factor));
  if (isFloatArray(t)) {
    const out = newArray(values.dtype, lengthOf(t));
    native.scale(out, t, rounded(factor, values.dtype));
    return out;
  }
  if (t instanceof Variable) {
    // Of its own: a view would change with every step of the variable.
    const out = allocate(values.dtype, values.shape, values.size);
    native.scale(out.raw, values.raw, rounded(factor, values.dtype));
    return out;
  }
  return withValues(t, inScope(timesFactor(values, factor)));
}

/** t with values that `write` computes, into fresh memory or the same. */
export function rewritten(t: Clippable, values: Tensor, inPlace: boolean, write: (out: FloatArray) => void): Clippable {
  if (inPlace && values.factor === 1) {
    write(values.rewrite());
    return t;
  }
  if (inPlace)
    throw new Error('a gradient that was clipped by its norm is a view and cannot be clipped by value in place');
  if (trace !== null && !isFloatArray(t)) {
    const result = allocate(values.dtype, values.shape, values.size);
    write(result.operand);
    return withValues(t, result);
  }
  const out = (isFloatArray(t) ? newArray : alignedArray)(values.dtype, values.size);
  write(out);
  return isFloatArray(t) ? out : withValues(t, inScope(alias(out, values.dtype, values.shape)));
}

/** These values as the kind of `t`; what may go with the gradient that t is may go with them. */
export function withValues(t: Clippable, values: Tensor): Clippable {
  if (isFloatArray(t)) return values.data;
  const original = t instanceof IndexedSlices ? t.values : t instanceof Variable ? t.value : t;
  if (original.memory.isRecyclable) values.memory.isRecyclable = true;
  return t instanceof IndexedSlices ? new IndexedSlices(values, t.indices, t.denseShape) : values;
}

/** @throws Error when asked to write what a tape follows. */
export function refuseInPlace(inPlace: boolean): void {
  if (inPlace) throw new Error('a tensor whose gradients are being computed cannot be clipped in place');
}

/**
 * Looks before a list is written in place: what is gone must show before the first entry has changed.
 * @throws Error when one's memory is gone or was taken away.
 */
export function checkWritable(values: readonly (Tensor | null)[]): void {
  for (const tensor of values) tensor?.memory.locate();
}
