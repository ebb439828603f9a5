import { checkOptions, type Names, type NamesOf } from '../options';
import { checkBoolean, shown } from '../checks';
import { toTensor } from '../autodiff/tape';
import { isFloatArray } from '../tensor/arrays';
import type { FloatArray } from '../tensor/dtype';
import { IndexedSlices } from '../tensor/indexed-slices';
import { checkFloats, isTensor, type Tensor } from '../tensor/tensor';
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

const clipNames: NamesOf<ClipOptions> = { inPlace: true };
export const normNames: NamesOf<ClipByNormOptions> = { ...clipNames, nonFinite: true };

/** The values that count: all of them, or those that IndexedSlices store. @throws TypeError for another kind. */
export function valuesOf(name: string, t: unknown): Tensor {
  if (isTensor(t)) {
    checkFloats(name, t);
    return t;
  }
  if (t instanceof IndexedSlices) return t.values;
  if (t instanceof Variable || isFloatArray(t)) return toTensor(name, t);
  throw new TypeError(`${name} must be a Tensor, IndexedSlices, a Variable or a typed array, got ${shown(t)}`);
}

export function checkNormOptions(options: ClipByNormOptions, names: Names = normNames): Required<ClipByNormOptions> {
  const inPlace = checkInPlace(options, names);
  const { nonFinite = 'propagate' } = options;
  if (nonFinite !== 'propagate' && nonFinite !== 'error' && nonFinite !== 'zero') {
    throw new RangeError(`nonFinite must be 'propagate', 'error' or 'zero', got ${shown(nonFinite)}`);
  }
  return { inPlace, nonFinite };
}

export function checkInPlace(options: ClipOptions, names: Names = clipNames): boolean {
  checkOptions('options', options, names);
  const { inPlace = false } = options;
  checkBoolean('inPlace', inPlace);
  return inPlace;
}
