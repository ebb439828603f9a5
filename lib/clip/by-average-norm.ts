import { inScope } from '../autodiff/scope';
import { isFollowed } from '../autodiff/tape';
import { checkNumber } from '../checks';
import { IndexedSlices } from '../tensor/indexed-slices';
import type { Tensor } from '../tensor/tensor';
import { checkNormOptions, valuesOf, type Clippable, type ClipByNormOptions, type Clipped } from './kinds';
import { normOf } from './norm';
import { clipTogether } from './together';

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
