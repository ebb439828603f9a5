import { summed, binary, unary } from './autodiff/kernels';
import { inScope } from './autodiff/scope';
import { checkBoolean, checkNumber, checkOptions, shown } from './checks';
import { isFloatArray, newArray, dtypeOf, rounded, type FloatArray } from './dtype';
import { GradientsAndVariables, type GradientAndVariable } from './gradients-and-variables';
import { IndexedSlices } from './indexed-slices';
import { native } from './native';
import { isOurs, markOurs } from './optimizers/spent';
import { broadcastShapes, normalizeAxes, sameShape, showShape } from './shape';
import { alias, Tensor, timesFactor } from './tensor';
import { Variable } from './variable';

/** What can be clipped. A typed array counts as a tensor of one dimension. */
export type Clippable = Tensor | IndexedSlices | Variable | FloatArray;

/** The kind of a result: that of its input; a Variable that is not clipped in place gives a Tensor. */
export type Clipped<T> = T extends Variable ? Tensor : T extends Float32Array ? Float32Array : T extends Float64Array ? Float64Array : T;

export interface ClipOptions {
  /** Write into the input's memory and return the input. Default: false. */
  inPlace?: boolean;
}

/**
 * max(min(t, clipValueMax), clipValueMin), element by element: where min > max, min wins. NaN stays NaN.
 * Of IndexedSlices only the stored values are clipped.
 *
 * @param clipValueMin, clipValueMax numbers, or tensors that broadcast against `t` without growing it.
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
  return tensor.size === 1 ? tensor.data[0]! : tensor;
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
  options: ClipOptions & { axes?: number | readonly number[]; inPlace: true },
): T;
export function clipByNorm<T extends Clippable>(
  t: T,
  clipNorm: number,
  options?: ClipOptions & { axes?: number | readonly number[] },
): Clipped<T>;
export function clipByNorm(
  t: Clippable,
  clipNorm: number,
  options: ClipOptions & { axes?: number | readonly number[] } = {},
): Clippable {
  const inPlace = checkInPlace(options);
  checkNumber('clipNorm', clipNorm);
  const values = valuesOf('t', t);
  const axes = normalizeAxes('axes', options.axes, values.shape.length);
  if (axes.length < values.shape.length) return clipAlongAxes(t, values, clipNorm, axes, inPlace);
  return multiplied(t, values, normFactor(normOf([values]), clipNorm), inPlace);
}

function normFactor(norm: number, clipNorm: number): number {
  return clipNorm / Math.max(norm, clipNorm);
}

function clipAlongAxes(
  t: Clippable,
  values: Tensor,
  clipNorm: number,
  axes: readonly number[],
  inPlace: boolean,
): Clippable {
  const shape = values.shape.map((dim, d) => (axes.includes(d) ? 1 : dim));
  const factors = summed(unary('square', values), axes, shape);
  factors.raw.forEach((square, i, out) => (out[i] = normFactor(Math.sqrt(square), clipNorm)));
  return rewritten(t, values, inPlace, (out) => out.set(binary('multiply', values, factors).data));
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
  options: ClipOptions & { inPlace: true },
): T;
export function clipByAverageNorm<T extends Clippable>(
  t: T,
  clipNorm: number,
  options?: ClipOptions,
): T extends IndexedSlices ? Tensor : Clipped<T>;
export function clipByAverageNorm(t: Clippable, clipNorm: number, options: ClipOptions = {}): Clippable {
  const inPlace = checkInPlace(options);
  checkNumber('clipNorm', clipNorm);
  if (t instanceof IndexedSlices) {
    if (inPlace) throw new TypeError('IndexedSlices cannot be clipped by their average norm in place: the result is dense');
    return clipByAverageNorm(t.toDense(), clipNorm);
  }
  const values = valuesOf('t', t);
  const norm = normOf([values]);
  return multiplied(t, values, factorFor(norm / values.size, clipNorm, norm), inPlace);
}

/** clipNorm · min(1 / norm, 1 / clipNorm), but exactly 1 where nothing is clipped. */
function factorFor(norm: number, clipNorm: number, data = norm): number {
  if (Number.isNaN(data)) return NaN;
  const inverse = Math.min(1 / norm, 1 / clipNorm);
  if (clipNorm === 0 || !Number.isFinite(clipNorm) || Number.isNaN(inverse)) return clipNorm * inverse;
  return inverse === 1 / clipNorm ? 1 : clipNorm / norm;
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
  return normOf(entriesOf(tList).flatMap((entry) => (entry === null ? [] : [valuesOf('an entry of tList', entry)])));
}

export interface ClipByGlobalNormOptions extends ClipOptions {
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
  const inPlace = checkInPlace(options);
  checkNumber('clipNorm', clipNorm);
  if (options.useNorm !== undefined) checkNumber('useNorm', options.useNorm);
  const entries = entriesOf(tList);
  const values = entries.map((entry) => (entry === null ? null : valuesOf('an entry of tList', entry)));
  const norm = options.useNorm ?? normOf(values.filter((entry) => entry !== null));
  const factor = Number.isFinite(norm) ? factorFor(norm, clipNorm) : NaN;
  const clipped = entries.map((entry, i) => (entry === null ? null : multiplied(entry, values[i]!, factor, inPlace)));
  return [withVariables(tList, clipped), norm];
}

/** The entries themselves, or the gradients of pairs. */
function entriesOf(tList: unknown): readonly (Clippable | null)[] {
  if (!Array.isArray(tList)) throw new TypeError(`tList must be an array, got ${shown(tList)}`);
  const list = tList as readonly unknown[];
  const entries = isPairs(list) ? list.map(([gradient]) => gradient) : list;
  return entries.map((entry) => (entry === undefined ? null : (entry as Clippable | null)));
}

function isPairs(list: readonly unknown[]): list is readonly GradientAndVariable[] {
  return (
    list.length > 0 && list.every((item) => Array.isArray(item) && item.length === 2 && item[1] instanceof Variable)
  );
}

function withVariables(tList: unknown, clipped: readonly (Clippable | null)[]): unknown {
  if (!isPairs(tList as readonly unknown[])) return clipped;
  const pairs = tList as readonly GradientAndVariable[];
  const result = pairs.map(([, variable], i) => [clipped[i]!, variable] as [Tensor | IndexedSlices | null, Variable]);
  return tList instanceof GradientsAndVariables ? GradientsAndVariables.of_(result, tList.loss) : result;
}

/** The values that count: all of them, or those that IndexedSlices store. @throws TypeError for another kind. */
function valuesOf(name: string, t: unknown): Tensor {
  if (t instanceof Tensor) return t;
  if (t instanceof IndexedSlices) return t.values;
  if (t instanceof Variable) return (void t.data, t.value);
  if (isFloatArray(t)) return alias(t);
  throw new TypeError(`${name} must be a Tensor, IndexedSlices, a Variable or a typed array, got ${shown(t)}`);
}

function normOf(values: readonly Tensor[]): number {
  let sum = 0;
  for (const dtype of ['float32', 'float64'] as const) {
    const own = values.filter((tensor) => tensor.dtype === dtype);
    if (own.length === 0) continue;
    sum += native.sumOfSquares(
      own.map((tensor) => tensor.raw),
      Float64Array.from(own, (tensor) => tensor.factor),
    );
  }
  return Math.sqrt(sum);
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
  if (inPlace) throw new Error('a gradient that was clipped by its norm is a view and cannot be clipped by value in place');
  const out = newArray(values.dtype, values.size);
  write(out);
  return isFloatArray(t) ? out : withValues(t, inScope(alias(out, values.shape)));
}

function withValues(t: Tensor | IndexedSlices | Variable, values: Tensor): Clippable {
  const original = t instanceof IndexedSlices ? t.values : t instanceof Variable ? t.value : t;
  if (isOurs(original)) markOurs(values);
  return t instanceof IndexedSlices ? new IndexedSlices(values, t.indices, t.denseShape) : values;
}

function checkInPlace(options: ClipOptions): boolean {
  checkOptions('options', options);
  const { inPlace = false } = options;
  checkBoolean('inPlace', inPlace);
  return inPlace;
}
