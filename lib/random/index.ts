import { RandomGenerator } from './generator';

export { RandomGenerator } from './generator';
export type { Shuffleable } from './choices';
export type { BernoulliOptions, NormalOptions, RandomOptions, SeedOptions, UniformOptions } from './distributions';

/**
 * The generator that everything uses that is given no other. Until `random.seed(n)` it starts somewhere else in each process,
 * but for draws with a seed of their own.
 */
export const random = new RandomGenerator();
