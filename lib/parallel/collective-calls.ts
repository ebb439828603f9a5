import type { FloatArray } from 'gradstep';
import { checkOptions } from '../options';
import { listOf, rootNames, rootOf, sumNames, sumOf, termsOf, What, type Maybe, type Sum } from './arguments';
import type { Communicator, OneOrMore, RootOptions, SumOptions, Transferable } from './communicator';

/** A call of a rank, as native code takes it: its arguments are of the right kind. */
export interface Call {
  readonly what: What;
  readonly root: number;
  readonly sum: Sum;
  /** Lists of so many arrays each. */
  readonly terms: readonly (readonly Maybe[])[];
  readonly arrays: number;
  readonly out: readonly Transferable[];
}

type Place = Pick<Communicator, 'rank' | 'size'>;

const noSum: Sum = { isMean: false, inOrder: true };

/** What a communicator's methods of these names are called with, checked. `inOrder` is how it sums unless a call says. */
export const collectiveCalls = {
  allReduce(arrays: OneOrMore<FloatArray>, options: SumOptions, inOrder: boolean): Call {
    return callOf(What.AllReduce, 0, sumOf(options, inOrder), listOf('arrays', arrays), []);
  },

  reduce(
    terms: readonly (readonly (FloatArray | undefined)[])[],
    out: readonly FloatArray[],
    options: SumOptions & RootOptions,
    { rank, size }: Place,
    inOrder: boolean,
  ): Call {
    checkOptions('options', options, { ...sumNames, ...rootNames });
    const { root: given, ...sum } = options;
    const root = rootOf({ ...(given !== undefined && { root: given }) }, size);
    const lists = termsOf(terms);
    const results = listOf('out', out);
    const arrays = lists[0]?.length ?? results.length;
    const call = { what: What.Reduce, root, sum: sumOf(sum, inOrder), terms: lists, arrays };
    if (lists.some((term) => term.length !== arrays)) {
      throw new RangeError(`every term must have ${arrays} arrays, as there are results`);
    }
    return { ...call, out: rank === root ? results : [] };
  },

  reduceScatter(
    arrays: OneOrMore<FloatArray>,
    out: OneOrMore<FloatArray>,
    options: SumOptions,
    inOrder: boolean,
  ): Call {
    const sum = sumOf(options, inOrder);
    return callOf(What.ReduceScatter, 0, sum, listOf('arrays', arrays), listOf('out', out));
  },

  allGather(arrays: OneOrMore<Transferable>, out: OneOrMore<Transferable>): Call {
    return callOf(What.AllGather, 0, noSum, listOf('arrays', arrays), listOf('out', out));
  },

  gather(
    arrays: OneOrMore<Transferable>,
    out: OneOrMore<Transferable>,
    options: RootOptions,
    { rank, size }: Place,
  ): Call {
    const root = rootOf(options, size);
    return callOf(What.Gather, root, noSum, listOf('arrays', arrays), rank === root ? listOf('out', out) : []);
  },

  broadcast(arrays: OneOrMore<Transferable>, options: RootOptions, { size }: Place): Call {
    return callOf(What.Broadcast, rootOf(options, size), noSum, listOf('arrays', arrays), []);
  },

  barrier(): Call {
    return callOf(What.Barrier, 0, noSum, [], []);
  },
};

/** A call with one term. */
function callOf(
  what: What,
  root: number,
  sum: Sum,
  arrays: readonly Transferable[],
  out: readonly Transferable[],
): Call {
  return { what, root, sum, terms: what === What.Barrier ? [] : [arrays], arrays: arrays.length, out };
}
