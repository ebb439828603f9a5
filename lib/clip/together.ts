import { isAnyFollowed } from '../autodiff/tape';
import { newArray } from '../tensor/arrays';
import { alias, type Tensor } from '../tensor/tensor';
import { type Clippable, type ClipByNormOptions } from './kinds';
import { scaleByNorm, type NormFactor } from './scale-by-norm';
import { checkWritable, multiplied, refuseInPlace, withValues, zeroed } from './write';

/** clipNorm · min(size / norm, 1 / clipNorm), but exactly 1 where nothing is clipped; and its derivative by the norm. */
function globalFactor(norm: number, size: number, clipNorm: number): NormFactor {
  if (Number.isNaN(norm)) return { value: NaN, slope: NaN };
  const inverse = Math.min(size / norm, 1 / clipNorm);
  const clips = size / norm <= 1 / clipNorm;
  const isPlain = clipNorm !== 0 && Number.isFinite(clipNorm) && !Number.isNaN(inverse);
  const value = !isPlain ? clipNorm * inverse : clips && inverse !== 1 / clipNorm ? (clipNorm * size) / norm : 1;
  // At norm 0 TensorFlow's derivative is NaN: that of 1 / norm times 0.
  return { value, slope: norm === 0 ? NaN : clips ? -value / norm : 0 };
}

/** All entries by one factor, which depends on `norm`. */
export function clipTogether(
  entries: readonly (Clippable | null)[],
  values: readonly (Tensor | null)[],
  norm: number,
  size: number,
  clipNorm: number,
  options: ClipByNormOptions & { constant?: boolean; nanUnlessFinite?: boolean },
  what: string,
): (Clippable | null)[] {
  const { inPlace = false, nonFinite = 'propagate' } = options; // checked by the caller
  const factorOf = (n: number): NormFactor => {
    const { value, slope } = globalFactor(n, size, clipNorm);
    const isNaN = options.nanUnlessFinite === true && !Number.isFinite(n);
    return { value: isNaN ? NaN : value, slope: options.constant ? 0 : slope };
  };
  const isZero = isToBeZero(norm, nonFinite, what);
  if (inPlace) checkWritable(values);
  if (!isAnyFollowed(values)) {
    if (isZero) return entries.map((entry, i) => (entry === null ? null : zeroed(entry, values[i]!, inPlace)));
    const factor = factorOf(norm).value;
    return entries.map((entry, i) => (entry === null ? null : multiplied(entry, values[i]!, factor, inPlace)));
  }
  refuseInPlace(inPlace);
  if (isZero) return entries.map((entry, i) => (entry === null ? null : zeroed(entry, values[i]!, false)));
  const present = values.filter((entry) => entry !== null);
  const { dtype } = present[0]!;
  const norms = alias(newArray(dtype, 1).fill(norm), dtype, []);
  const all = (x: Tensor): number[] => x.shape.map((_, d) => d);
  const scaled = scaleByNorm(present, norms, all, factorOf).values();
  return entries.map((entry) => (entry === null ? null : withValues(entry, scaled.next().value!)));
}

/** Whether the option asks for zeros. @throws Error where it asks for that. */
export function isToBeZero(norm: number, nonFinite: 'propagate' | 'error' | 'zero', what: string): boolean {
  if (Number.isFinite(norm) || nonFinite === 'propagate') return false;
  if (nonFinite === 'error') throw new Error(`the ${what} is ${norm}: the gradients are not finite`);
  return true;
}
