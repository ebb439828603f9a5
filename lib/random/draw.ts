import { checkRange, isWhole } from '../checks';

/**
 * A stretch of counters that nobody else is given: what one native call makes its random numbers of. Whoever has the same
 * three numbers and calls the same function gets the same bits.
 */
export interface Draw {
  readonly key: number;
  readonly stream: number;
  /** The first of the counters. */
  readonly counter: number;
  /** How many they are. */
  readonly blocks: number;
}

/** Where draws come from. */
export interface DrawSource {
  take(blocks: number, seed?: number): Draw;
}

const wordsPerBlock = 4;

/** The blocks that have so many words. */
export const blocksOf = (words: number): number => Math.ceil(words / wordsPerBlock);

/** Stream 0 is for draws without a seed of their own, so that the largest seed's stream is the largest whole number. */
export const largestSeed = Number.MAX_SAFE_INTEGER - 1;
export const streamOf = (seed: number | undefined): number => (seed === undefined ? 0 : seed + 1);

/** @throws TypeError, RangeError unless `seed` is one. */
export function checkSeed(name: string, seed: unknown): asserts seed is number {
  checkRange(name, seed, `a whole number from 0 to ${largestSeed}`, (value) => isWhole(value) && value <= largestSeed);
}

/** The same for one that may be left out. */
export function checkOptionalSeed(seed: unknown): asserts seed is number | undefined {
  if (seed !== undefined) checkSeed('seed', seed);
}
