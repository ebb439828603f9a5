import type { Contestant } from './harness';

/** A contestant that is held to the others' results before anything is timed. */
export interface Side extends Contestant {
  /** What it has computed so far. Limit loops have none: they move the same memory and compute nothing of use. */
  readonly result?: () => ArrayLike<number> | Promise<ArrayLike<number>>;
  readonly dispose?: () => void | Promise<void>;
}

/** 64 elements from all over the array: what is compared of large results. bench/peers/torch_worker.py takes the same. */
export function sampled(array: ArrayLike<number>): Float64Array {
  return Float64Array.from(sampledPlaces(array.length), (i) => array[i]!);
}

/** Where those are in an array of that length. */
export const sampledPlaces = (length: number): number[] => Array.from({ length: 64 }, (_, k) => (k * 99991) % length);

/** The same side as one that is not compared: where sides share their memory, it holds what all of them did. */
export function unchecked({ result: _, ...rest }: Side): Side {
  return rest;
}
