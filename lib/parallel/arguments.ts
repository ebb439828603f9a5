import { internals, type FloatArray } from 'gradstep';
import { checkBoolean, checkRange, isWhole, shown } from '../checks';
import { checkOptions, type NamesOf } from '../options';
import type { OneOrMore, RootOptions, SumOptions, Transferable } from './communicator';

// What communicators of any kind take. What they do, as native/drivers/collective.h counts it:
export const enum What {
  Barrier,
  AllReduce,
  Reduce,
  ReduceScatter,
  AllGather,
  Gather,
  Broadcast,
}

export const sumNames: NamesOf<SumOptions> = { reductionType: true, deterministic: true };
export const rootNames: NamesOf<RootOptions> = { root: true };

export type Maybe = Transferable | undefined;

/** How a sum is to be made. */
export interface Sum {
  readonly isMean: boolean;
  readonly inOrder: boolean;
}

/** @throws TypeError, RangeError for options that there are not. */
export function sumOf(options: SumOptions, inOrder: boolean): Sum {
  checkOptions('options', options, sumNames);
  const { reductionType = 'SUM', deterministic = inOrder } = options;
  checkBoolean('deterministic', deterministic);
  if (reductionType !== 'SUM' && reductionType !== 'MEAN') {
    throw new RangeError(`reductionType must be 'SUM' or 'MEAN', got ${shown(reductionType)}`);
  }
  return { isMean: reductionType === 'MEAN', inOrder: deterministic };
}

/** @throws TypeError, RangeError unless it is one of `size` ranks. */
export function rootOf(options: RootOptions, size: number): number {
  checkOptions('options', options, rootNames);
  const { root = 0 } = options;
  checkRange('root', root, `a whole number below ${size}`, (n) => isWhole(n) && n < size);
  return root;
}

/** @throws TypeError for what is no list of lists. */
export function termsOf(terms: unknown): readonly (readonly Maybe[])[] {
  if (!Array.isArray(terms)) throw new TypeError(`terms must be an array of lists, got ${shown(terms)}`);
  return (terms as readonly OneOrMore<Maybe>[]).map((term) => listOf('a term', term));
}

/** @throws TypeError for what is neither an array of numbers nor a list. */
export function listOf<A extends Maybe>(name: string, arrays: OneOrMore<A>): readonly A[] {
  if (Array.isArray(arrays)) return arrays as readonly A[];
  if (ArrayBuffer.isView(arrays)) return [arrays as A];
  throw new TypeError(`${name} must be a typed array or a list of them, got ${shown(arrays)}`);
}

/** @throws TypeError unless the arrays lie where nobody can take their memory away. */
export function sharedListOf<A extends FloatArray | Transferable>(name: string, arrays: OneOrMore<A>): readonly A[] {
  const list = listOf(name, arrays);
  list.forEach((array, i) => {
    if (ArrayBuffer.isView(array) && internals.isSharedForGood(array)) return;
    const which = Array.isArray(arrays) ? `${name}[${i}]` : name;
    const got = ArrayBuffer.isView(array) ? 'one that is not' : shown(array);
    throw new TypeError(`${which} must be a typed array over a SharedArrayBuffer that cannot grow, got ${got}`);
  });
  return list;
}
