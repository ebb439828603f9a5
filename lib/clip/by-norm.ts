import { allocate } from '../autodiff/scope';
import { isFollowed } from '../autodiff/tape';
import { checkNumber } from '../checks';
import type { NamesOf } from '../options';
import { binary, broadcastTo, summed, unary } from '../ops/primitives';
import { newArray } from '../tensor/arrays';
import type { FloatArray } from '../tensor/dtype';
import { normalizeAxes } from '../tensor/shape';
import { alias, type Tensor } from '../tensor/tensor';
import { checkNormOptions, normNames, valuesOf, type Clippable, type ClipByNormOptions, type Clipped } from './kinds';
import { normOf } from './norm';
import { scaleByNorm, type NormFactor } from './scale-by-norm';
import { isToBeZero } from './together';
import { multiplied, refuseInPlace, rewritten, withValues, zeroed } from './write';

const byNormNames: NamesOf<ClipByNormOptions & { axes?: unknown }> = { ...normNames, axes: true };

/**
 * t · clipNorm / max(‖t‖, clipNorm): the L2 norm is at most `clipNorm`. Of IndexedSlices the norm is that of the stored
 * values, repeated rows not summed.
 *
 * Without `axes` only the factor of a tensor changes: nothing is written.
 *
 * @param options.axes the norm is taken along these, for every index of the others by itself; negative ones count from
 * the end. Default: all.
 * @throws TypeError for a wrong kind, RangeError for axes out of range.
 * Source: `tf.clip_by_norm`. A t of zeros gives zeros (NaN for clipNorm 0), a NaN in t makes everything NaN, an infinite
 * element becomes NaN and the finite ones 0, clipNorm Infinity gives NaN: all as TensorFlow does.
 */
export function clipByNorm<T extends Clippable>(
  t: T,
  clipNorm: number,
  options: ClipByNormOptions & { axes?: number | readonly number[]; inPlace: true },
): T;
export function clipByNorm<T extends Clippable>(
  t: T,
  clipNorm: number,
  options?: ClipByNormOptions & { axes?: number | readonly number[] },
): Clipped<T>;
export function clipByNorm(
  t: Clippable,
  clipNorm: number,
  options: ClipByNormOptions & { axes?: number | readonly number[] } = {},
): Clippable {
  const { inPlace, nonFinite } = checkNormOptions(options, byNormNames);
  checkNumber('clipNorm', clipNorm);
  const values = valuesOf('t', t);
  const axes = normalizeAxes('axes', options.axes, values.shape.length);
  const factorOf = (norm: number): NormFactor => {
    const value = clipNorm / Math.max(norm, clipNorm);
    return { value, slope: norm >= clipNorm && norm !== 0 ? -value / norm : 0 };
  };
  if (axes.length === values.shape.length && !isFollowed(values)) {
    const norm = normOf([values]);
    if (isToBeZero(norm, nonFinite, 'norm of t')) return zeroed(t, values, inPlace);
    return multiplied(t, values, factorOf(norm).value, inPlace);
  }
  const norms = normsAlong(values, axes);
  norms.raw.forEach((norm) => isToBeZero(norm, nonFinite, 'norm of t'));
  if (isFollowed(values)) {
    refuseInPlace(inPlace);
    return withValues(t, scaleByNorm([values], norms, () => axes, factorOf)[0]!);
  }
  return rewritten(t, values, inPlace, (out) => {
    const factors = allocate(values.dtype, norms.shape, norms.size);
    norms.raw.forEach((norm, i) => (factors.raw[i] = factorOf(norm).value));
    out.set(binary('multiply', values, factors).data);
    if (nonFinite === 'zero') zeroWhereNotFinite(out, values, norms);
  });
}

/** Norms along `axes`, which keep their place with size 1. */
function normsAlong(values: Tensor, axes: readonly number[]): Tensor {
  const shape = values.shape.map((dim, d) => (axes.includes(d) ? 1 : dim));
  if (axes.length === values.shape.length) {
    return alias(newArray(values.dtype, 1).fill(normOf([values])), values.dtype, shape);
  }
  return unary('sqrt', summed(unary('square', values), axes, shape));
}

// 0 · NaN is NaN, so zeros have to be written.
function zeroWhereNotFinite(out: FloatArray, values: Tensor, norms: Tensor): void {
  const everywhere = broadcastTo(norms, values.shape).data;
  for (let i = 0; i < out.length; i++) if (!Number.isFinite(everywhere[i])) out[i] = 0;
}
