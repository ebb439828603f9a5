import { GradientsAndVariables, type GradientAndVariable } from '../autodiff/gradients-and-variables';
import { isAnyFollowed } from '../autodiff/tape';
import { checkNumber, shown } from '../checks';
import type { NamesOf } from '../options';
import type { IndexedSlices } from '../tensor/indexed-slices';
import type { Tensor } from '../tensor/tensor';
import { Variable } from '../tensor/variable';
import { checkNormOptions, normNames, valuesOf, type Clippable, type ClipByNormOptions, type Clipped } from './kinds';
import { normOf, normOfAsync } from './norm';
import { clipTogether } from './together';

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
  return normOf(valuesOfEntries(entriesOf(listOf(tList)).entries));
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
  const call = checkCall(tList, clipNorm, options);
  return clippedBy(call, options.useNorm ?? normOf(call.values));
}

/**
 * `clipByGlobalNorm` whose norm is computed off the event loop. What is in plain ArrayBuffers is copied first, as it could
 * be transferred meanwhile; what is in shared memory must stay as it is until the promise is settled.
 *
 * @returns a promise of what `clipByGlobalNorm` returns, to the bit. It is rejected with what that throws, and with an Error
 * inside of a function whose gradients are being computed.
 * @example
 * async function step(): Promise<void> {
 *   const [clipped, norm] = await clipByGlobalNormAsync(optimizer.computeGradients(loss), 5);
 *   if (Number.isFinite(norm)) await optimizer.applyGradientsAsync(clipped);
 * }
 */
export function clipByGlobalNormAsync(
  tList: GradientsAndVariables,
  clipNorm: number,
  options?: ClipByGlobalNormOptions,
): Promise<[clipped: GradientsAndVariables, globalNorm: number]>;
export function clipByGlobalNormAsync<T extends readonly GradientAndVariable[]>(
  tList: T,
  clipNorm: number,
  options?: ClipByGlobalNormOptions,
): Promise<[clipped: GradientAndVariable[], globalNorm: number]>;
export function clipByGlobalNormAsync<const T extends readonly (Clippable | null)[]>(
  tList: T,
  clipNorm: number,
  options?: ClipByGlobalNormOptions,
): Promise<[clipped: { -readonly [K in keyof T]: Clipped<T[K]> }, globalNorm: number]>;
export async function clipByGlobalNormAsync(
  tList: unknown,
  clipNorm: number,
  options: ClipByGlobalNormOptions = {},
): Promise<[clipped: unknown, globalNorm: number]> {
  const call = checkCall(tList, clipNorm, { ...options });
  if (isAnyFollowed(call.values)) {
    throw new Error(
      'clipByGlobalNormAsync has no gradient: it is not for functions whose gradients are being computed',
    );
  }
  return clippedBy(call, call.options.useNorm ?? (await normOfAsync(call.values)));
}

/** What clipping by a global norm was asked for, checked. */
interface Call extends Entries {
  readonly tList: unknown;
  readonly clipNorm: number;
  readonly options: ClipByGlobalNormOptions;
  readonly values: readonly (Tensor | null)[];
}

function checkCall(tList: unknown, clipNorm: number, options: ClipByGlobalNormOptions): Call {
  checkNormOptions(options, globalNames);
  checkNumber('clipNorm', clipNorm);
  if (options.useNorm !== undefined) checkNumber('useNorm', options.useNorm);
  const { entries, variables } = entriesOf(listOf(tList));
  return { tList, clipNorm, options, entries, variables, values: valuesOfEntries(entries) };
}

function clippedBy({ tList, clipNorm, options, entries, variables, values }: Call, norm: number): [unknown, number] {
  const kind = { ...options, constant: options.useNorm !== undefined, nanUnlessFinite: true };
  const clipped = clipTogether(entries, values, norm, 1, clipNorm, kind, 'global norm');
  if (variables === null) return [clipped, norm];
  const pairs = pairsOf(clipped, variables);
  return [tList instanceof GradientsAndVariables ? GradientsAndVariables.of_(pairs, tList.loss) : pairs, norm];
}

function listOf(tList: unknown): readonly unknown[] {
  if (!Array.isArray(tList)) throw new TypeError(`tList must be an array, got ${shown(tList)}`);
  return tList;
}

// Loops, since the methods of arrays take several times as long on lists that are a class of their own.

/** What a list is of; the variables where it is one of pairs, each of which is read once. */
interface Entries {
  readonly entries: readonly (Clippable | null)[];
  readonly variables: readonly Variable[] | null;
}

function entriesOf(list: readonly unknown[]): Entries {
  const { length } = list;
  const entries = new Array<Clippable | null>(length);
  const variables = new Array<Variable>(length);
  for (let i = 0; i < length; i++) {
    const item: unknown = list[i];
    if (!Array.isArray(item) || item.length !== 2) return { entries: asEntries(list), variables: null };
    const entry: unknown = item[0];
    const variable: unknown = item[1];
    if (!(variable instanceof Variable)) return { entries: asEntries(list), variables: null };
    entries[i] = (entry ?? null) as Clippable | null;
    variables[i] = variable;
  }
  return { entries, variables: length > 0 ? variables : null };
}

const asEntries = (list: readonly unknown[]): (Clippable | null)[] =>
  Array.from(list, (entry) => (entry ?? null) as Clippable | null);

function valuesOfEntries(entries: readonly (Clippable | null)[]): (Tensor | null)[] {
  const values = new Array<Tensor | null>(entries.length);
  for (let i = 0; i < entries.length; i++) {
    const entry = entries[i]!;
    values[i] = entry === null ? null : valuesOf('an entry of tList', entry);
  }
  return values;
}

function pairsOf(entries: readonly (Clippable | null)[], variables: readonly Variable[]) {
  const pairs = new Array<[Tensor | IndexedSlices | null, Variable]>(variables.length);
  for (let i = 0; i < variables.length; i++) pairs[i] = [entries[i] as Tensor | IndexedSlices | null, variables[i]!];
  return pairs;
}
