import { binary, broadcastTo, summed, unary } from '../ops/primitives';
import { maximum, minimum } from '../ops';
import { scaleByNorm, type NormFactor } from './scale-by-norm';
import { allocate, inScope } from '../autodiff/scope';
import { isAnyFollowed, isFollowed, toTensor } from '../autodiff/tape';
import { checkBoolean, checkNumber, checkOptions, shown } from '../checks';
import { isFloatArray, newArray, dtypeOf, rounded, type DType, type FloatArray } from '../tensor/dtype';
import { GradientsAndVariables, type GradientAndVariable } from '../autodiff/gradients-and-variables';
import { IndexedSlices } from '../tensor/indexed-slices';
import { native } from '../native';
import type { Pairs } from '../step/pairs';
import { isOurs, markOurs } from '../step/spent';
import { broadcastShapes, normalizeAxes, sameShape, showShape } from '../tensor/shape';
import { alias, Tensor, timesFactor } from '../tensor/tensor';
import { Variable } from '../tensor/variable';

/** What can be clipped. A typed array counts as a tensor of one dimension. */
export type Clippable = Tensor | IndexedSlices | Variable | FloatArray;

/** The kind of a result: that of its input; a Variable that is not clipped in place gives a Tensor. */
export type Clipped<T> = T extends Variable
  ? Tensor
  : T extends Float32Array
    ? Float32Array
    : T extends Float64Array
      ? Float64Array
      : T;

export interface ClipOptions {
  /** Write into the input's memory and return the input. Default: false. */
  inPlace?: boolean;
}

export interface ClipByNormOptions extends ClipOptions {
  /**
   * What to do about a norm that is infinite or NaN:
   * `'propagate'` what TensorFlow's formula gives, which is NaN in most cases;
   * `'error'` throw, with nothing changed;
   * `'zero'` give zeros, so that one bad step of a server does no harm.
   * Default: `'propagate'`.
   */
  nonFinite?: 'propagate' | 'error' | 'zero';
}

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
    return rewritten(t, values, inPlace, (out) => native.clipByValue(out, values.data, low, high));
  }
  const tensorOf = (bound: number | Tensor): Tensor =>
    bound instanceof Tensor ? bound : alias(newArray(values.dtype, 1).fill(bound), []);
  return rewritten(t, values, inPlace, (out) => {
    out.set(binary('maximum', binary('minimum', values, tensorOf(high)), tensorOf(low)).data);
  });
}

function toBound(name: string, bound: unknown, values: Tensor): number | Tensor {
  if (typeof bound === 'number') return bound;
  if (!(bound instanceof Tensor) && !isFloatArray(bound)) {
    throw new TypeError(`${name} must be a number, a Tensor or a typed array, got ${shown(bound)}`);
  }
  const tensor = bound instanceof Tensor ? bound : alias(bound);
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
  const { inPlace, nonFinite } = checkNormOptions(options);
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
  if (axes.length === values.shape.length) return alias(newArray(values.dtype, 1).fill(normOf([values])), shape);
  return unary('sqrt', summed(unary('square', values), axes, shape));
}

// 0 · NaN is NaN, so zeros have to be written.
function zeroWhereNotFinite(out: FloatArray, values: Tensor, norms: Tensor): void {
  const everywhere = broadcastTo(norms, values.shape).data;
  for (let i = 0; i < out.length; i++) if (!Number.isFinite(everywhere[i])) out[i] = 0;
}

/**
 * t · clipNorm · min(size / ‖t‖, 1 / clipNorm): ‖t‖ / size is at most `clipNorm`. This "average norm" is the L2 norm
 * divided by the number of elements, as TensorFlow has it. IndexedSlices are made dense first.
 *
 * @throws TypeError for a wrong kind, Error for IndexedSlices without a denseShape.
 * Source: `tf.clip_by_average_norm`.
 */
export function clipByAverageNorm<T extends Exclude<Clippable, IndexedSlices>>(
  t: T,
  clipNorm: number,
  options: ClipByNormOptions & { inPlace: true },
): T;
export function clipByAverageNorm<T extends Clippable>(
  t: T,
  clipNorm: number,
  options?: ClipByNormOptions,
): T extends IndexedSlices ? Tensor : Clipped<T>;
export function clipByAverageNorm(t: Clippable, clipNorm: number, options: ClipByNormOptions = {}): Clippable {
  const { inPlace } = checkNormOptions(options);
  checkNumber('clipNorm', clipNorm);
  if (t instanceof IndexedSlices) {
    if (inPlace)
      throw new TypeError('IndexedSlices cannot be clipped by their average norm in place: the result is dense');
    if (isFollowed(t.values))
      throw new TypeError('IndexedSlices inside a loss cannot be clipped by their average norm');
    return clipByAverageNorm(inScope(t.toDense()), clipNorm, options);
  }
  const values = valuesOf('t', t);
  return clipTogether([t], [values], normOf([values]), values.size, clipNorm, options, 'norm of t')[0]!;
}

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
function clipTogether(
  entries: readonly (Clippable | null)[],
  values: readonly (Tensor | null)[],
  norm: number,
  size: number,
  clipNorm: number,
  options: ClipByNormOptions & { constant?: boolean; nanUnlessFinite?: boolean },
  what: string,
): (Clippable | null)[] {
  const { inPlace, nonFinite } = checkNormOptions(options);
  const factorOf = (n: number): NormFactor => {
    const { value, slope } = globalFactor(n, size, clipNorm);
    const isNaN = options.nanUnlessFinite === true && !Number.isFinite(n);
    return { value: isNaN ? NaN : value, slope: options.constant ? 0 : slope };
  };
  const isZero = isToBeZero(norm, nonFinite, what);
  if (!isAnyFollowed(values)) {
    if (isZero) return entries.map((entry, i) => (entry === null ? null : zeroed(entry, values[i]!, inPlace)));
    const factor = factorOf(norm).value;
    return entries.map((entry, i) => (entry === null ? null : multiplied(entry, values[i]!, factor, inPlace)));
  }
  refuseInPlace(inPlace);
  if (isZero) return entries.map((entry, i) => (entry === null ? null : zeroed(entry, values[i]!, false)));
  const present = values.filter((entry) => entry !== null);
  const norms = alias(newArray(present[0]!.dtype, 1).fill(norm), []);
  const all = (x: Tensor): number[] => x.shape.map((_, d) => d);
  const scaled = scaleByNorm(present, norms, all, factorOf).values();
  return entries.map((entry) => (entry === null ? null : withValues(entry, scaled.next().value!)));
}

/** Whether the option asks for zeros. @throws Error where it asks for that. */
function isToBeZero(norm: number, nonFinite: 'propagate' | 'error' | 'zero', what: string): boolean {
  if (Number.isFinite(norm) || nonFinite === 'propagate') return false;
  if (nonFinite === 'error') throw new Error(`the ${what} is ${norm}: the gradients are not finite`);
  return true;
}

// A factor of 0 would not do: 0 · NaN is NaN.
function zeroed(t: Clippable, values: Tensor, inPlace: boolean): Clippable {
  if (inPlace) {
    values.rewrite().fill(0);
    return t;
  }
  return rewritten(t, values, false, (out) => out.fill(0));
}

/**
 * The norm of all values of all entries taken together: √ Σ ‖tᵢ‖². Null entries are skipped; of IndexedSlices the stored
 * values count, repeated rows not summed. An empty list has norm 0.
 *
 * Squares are summed in double precision, in the same order on every machine; so, unlike in TensorFlow, the squares of
 * large float32 values do not overflow.
 *
 * @throws TypeError unless `tList` is an array of what can be clipped.
 * Source: `tf.global_norm`.
 */
export function globalNorm(tList: readonly (Clippable | null)[] | GradientsAndVariables): number {
  const list = listOf(tList);
  return normOf(valuesOfEntries(entriesOf(list, asPairs(list))));
}

export interface ClipByGlobalNormOptions extends ClipByNormOptions {
  /** The norm to use in place of the list's own. */
  useNorm?: number;
}

/**
 * Every entry times clipNorm · min(1 / norm, 1 / clipNorm), where norm is the global norm of the list: their common
 * norm is then at most `clipNorm`. When the norm is infinite or NaN, every element of the result is NaN.
 *
 * Only the factors of tensors change: nothing is written. Where nothing is clipped the factor is exactly 1.
 *
 * @param tList tensors, IndexedSlices, variables, typed arrays and nulls, or what `computeGradients` returned.
 * @returns the clipped list, in the same order, and the norm before clipping.
 * @throws TypeError for a wrong kind.
 * Source: `tf.clip_by_global_norm`; Pascanu et al. 2012.
 * @example
 * const [clipped, norm] = clipByGlobalNorm(optimizer.computeGradients(loss), 5);
 * optimizer.applyGradients(clipped);
 */
export function clipByGlobalNorm(
  tList: GradientsAndVariables,
  clipNorm: number,
  options?: ClipByGlobalNormOptions,
): [clipped: GradientsAndVariables, globalNorm: number];
export function clipByGlobalNorm<T extends readonly GradientAndVariable[]>(
  tList: T,
  clipNorm: number,
  options?: ClipByGlobalNormOptions,
): [clipped: GradientAndVariable[], globalNorm: number];
export function clipByGlobalNorm<const T extends readonly (Clippable | null)[]>(
  tList: T,
  clipNorm: number,
  options?: ClipByGlobalNormOptions,
): [clipped: { -readonly [K in keyof T]: Clipped<T[K]> }, globalNorm: number];
export function clipByGlobalNorm(
  tList: unknown,
  clipNorm: number,
  options: ClipByGlobalNormOptions = {},
): [clipped: unknown, globalNorm: number] {
  checkNormOptions(options);
  checkNumber('clipNorm', clipNorm);
  const { useNorm } = options;
  if (useNorm !== undefined) checkNumber('useNorm', useNorm);
  const list = listOf(tList);
  const pairs = asPairs(list);
  const entries = entriesOf(list, pairs);
  const values = valuesOfEntries(entries);
  const norm = useNorm ?? normOf(values);
  const kind = { ...options, constant: useNorm !== undefined, nanUnlessFinite: true };
  const clipped = clipTogether(entries, values, norm, 1, clipNorm, kind, 'global norm');
  return [pairs === null ? clipped : withVariables(pairs, clipped), norm];
}

function listOf(tList: unknown): readonly unknown[] {
  if (!Array.isArray(tList)) throw new TypeError(`tList must be an array, got ${shown(tList)}`);
  return tList;
}

/** The entries themselves, or the gradients of pairs. */
function entriesOf(list: readonly unknown[], pairs: Pairs | null): readonly (Clippable | null)[] {
  const entries = pairs === null ? list : pairs.map(([gradient]) => gradient);
  return entries.map((entry) => (entry === undefined ? null : (entry as Clippable | null)));
}

const valuesOfEntries = (entries: readonly (Clippable | null)[]): (Tensor | null)[] =>
  entries.map((entry) => (entry === null ? null : valuesOf('an entry of tList', entry)));

/** The list, if it is one of pairs. */
function asPairs(list: readonly unknown[]): Pairs | null {
  const isPair = (item: unknown): boolean => Array.isArray(item) && item.length === 2 && item[1] instanceof Variable;
  return list.length > 0 && list.every(isPair) ? (list as Pairs) : null;
}

function withVariables(pairs: Pairs, clipped: readonly (Clippable | null)[]): unknown {
  const result = pairs.map(([, variable], i) => [clipped[i]!, variable] as [Tensor | IndexedSlices | null, Variable]);
  return pairs instanceof GradientsAndVariables ? GradientsAndVariables.of_(result, pairs.loss) : result;
}

/** The values that count: all of them, or those that IndexedSlices store. @throws TypeError for another kind. */
function valuesOf(name: string, t: unknown): Tensor {
  if (t instanceof Tensor) return t;
  if (t instanceof IndexedSlices) return t.values;
  if (t instanceof Variable || isFloatArray(t)) return toTensor(name, t);
  throw new TypeError(`${name} must be a Tensor, IndexedSlices, a Variable or a typed array, got ${shown(t)}`);
}

function normOf(values: readonly (Tensor | null)[]): number {
  return Math.sqrt(sumOfSquares(values, 'float32') + sumOfSquares(values, 'float64'));
}

let table = new Float64Array(48);

function sumOfSquares(values: readonly (Tensor | null)[], dtype: DType): number {
  if (table.length < 3 * values.length) table = new Float64Array(6 * values.length);
  let end = 0;
  for (const tensor of values) {
    if (tensor?.dtype !== dtype) continue;
    table[end++] = tensor.address;
    table[end++] = tensor.size;
    table[end++] = tensor.factor;
  }
  return end === 0 ? 0 : native.sumOfSquaresAt(table, end / 3, dtype === 'float64');
}

/** t times factor: for tensors a new factor, for typed arrays and in place new values. */
function multiplied(t: Clippable, values: Tensor, factor: number, inPlace: boolean): Clippable {
  if (inPlace) {
    if (factor !== 1) native.scale(values.rewrite(), values.raw, factor);
    return t;
  }
  if (isFloatArray(t)) {
    const out = newArray(dtypeOf(t), t.length);
    native.scale(out, t, rounded(factor, dtypeOf(t)));
    return out;
  }
  return withValues(t, inScope(timesFactor(values, factor)));
}

/** t with values that `write` computes, into fresh memory or the same. */
function rewritten(t: Clippable, values: Tensor, inPlace: boolean, write: (out: FloatArray) => void): Clippable {
  if (inPlace && values.factor === 1) {
    write(values.rewrite());
    return t;
  }
  if (inPlace)
    throw new Error('a gradient that was clipped by its norm is a view and cannot be clipped by value in place');
  const out = newArray(values.dtype, values.size);
  write(out);
  return isFloatArray(t) ? out : withValues(t, inScope(alias(out, values.shape)));
}

function withValues(t: Clippable, values: Tensor): Clippable {
  if (isFloatArray(t)) return values.data;
  const original = t instanceof IndexedSlices ? t.values : t instanceof Variable ? t.value : t;
  if (isOurs(original)) markOurs(values);
  return t instanceof IndexedSlices ? new IndexedSlices(values, t.indices, t.denseShape) : values;
}

function refuseInPlace(inPlace: boolean): void {
  if (inPlace) throw new Error('a tensor whose gradients are being computed cannot be clipped in place');
}

function checkNormOptions(options: ClipByNormOptions): Required<ClipByNormOptions> {
  const inPlace = checkInPlace(options);
  const { nonFinite = 'propagate' } = options;
  if (nonFinite !== 'propagate' && nonFinite !== 'error' && nonFinite !== 'zero') {
    throw new RangeError(`nonFinite must be 'propagate', 'error' or 'zero', got ${shown(nonFinite)}`);
  }
  return { inPlace, nonFinite };
}

function checkInPlace(options: ClipOptions): boolean {
  checkOptions('options', options);
  const { inPlace = false } = options;
  checkBoolean('inPlace', inPlace);
  return inPlace;
}
