import { GradientsAndVariables, type GradientAndVariable } from '../autodiff/gradients-and-variables';
import { checkNumber, shown } from '../checks';
import type { NamesOf } from '../options';
import type { IndexedSlices } from '../tensor/indexed-slices';
import type { Tensor } from '../tensor/tensor';
import { Variable } from '../tensor/variable';
import { checkNormOptions, normNames, valuesOf, type Clippable, type ClipByNormOptions, type Clipped } from './kinds';
import { normOf } from './norm';
import { clipTogether } from './together';

type Pairs = readonly GradientAndVariable[];

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

const globalNames: NamesOf<ClipByGlobalNormOptions> = { ...normNames, useNorm: true };

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
  checkNormOptions(options, globalNames);
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
