import { drawn } from '../autodiff/replay';
import type { TensorLike } from '../autodiff/tape';
import { restoreParts, type StateEntry, type Stateful, type StateSource } from '../tensor/state';
import type { Tensor } from '../tensor/tensor';
import { trace } from '../tensor/trace';
import { categorical, permutation, shuffle, type Shuffleable } from './choices';
import { Counters } from './counters';
import {
  bernoulli,
  normal,
  uniform,
  type BernoulliOptions,
  type NormalOptions,
  type SeedOptions,
  type UniformOptions,
} from './distributions';
import { checkSeed, type Draw } from './draw';

/**
 * Random numbers that are a function of a seed and of how many were drawn before: Philox4x32-10, which encrypts a counter.
 * The bits are the same on every instruction set and for every number of threads.
 *
 * `random` is the one that everything uses by default. Every draw has an option `seed`: draws with one seed follow each other
 * in a sequence of their own, which depends on the generator's seed too.
 * Source: `tf.random`, "Parallel random numbers: as easy as 1, 2, 3" (Salmon et al., 2011).
 */
export class RandomGenerator implements Stateful {
  readonly #counters = new Counters();

  /**
   * @param seed a whole number. Default: another one each time, but draws with a seed of their own are the same each time.
   * @throws TypeError, RangeError for another seed.
   */
  constructor(seed?: number) {
    if (seed !== undefined) this.seed(seed);
  }

  /**
   * Starts all sequences anew, as a new generator of this seed would.
   *
   * @throws TypeError, RangeError unless `seed` is a whole number from 0 to 2⁵³ - 2.
   * Source: `tf.set_random_seed`.
   * @example
   * random.seed(1);
   * const a = random.uniform([2, 3]);
   */
  seed(seed: number): void {
    checkSeed('seed', seed);
    this.#counters.seed(seed);
  }

  /** @internal Counters for a draw, which are nobody else's. @throws Error when there are none left. */
  take(blocks: number, seed?: number): Draw {
    return drawn(() => this.#taken(blocks, seed));
  }

  #taken(blocks: number, seed: number | undefined): Draw {
    const counters = this.#counters;
    if (trace === null) return counters.take(blocks, seed);
    const placeholder = trace.draw({
      take: () => {
        const draw = counters.take(blocks, seed);
        return { draw, putBack: () => counters.putBack(draw, seed) };
      },
    });
    return { ...placeholder, blocks };
  }

  /**
   * Numbers that are evenly distributed in [low, high): low + u (high - low), where u has 24 bits in float32 and 53 in
   * float64.
   *
   * @throws TypeError for arguments of a wrong kind, RangeError unless low is below high in the dtype and both and their
   * difference are finite in it.
   * Source: `tf.random.uniform`.
   */
  uniform(shape: readonly number[], options: UniformOptions = {}): Tensor {
    return uniform(this, shape, options);
  }

  /**
   * Normally distributed numbers: mean + stddev z, where z is the quantile of an evenly distributed number of 32 bits in
   * float32 and 64 in float64, of which one is the sign. |z| is at most 6.24 in float32 and 9.09 in float64.
   *
   * @throws TypeError for arguments of a wrong kind, RangeError for a negative stddev or what is not finite in the dtype.
   * Source: `tf.random.normal`; Wichura's algorithm AS 241.
   */
  normal(shape: readonly number[], options: NormalOptions = {}): Tensor {
    return normal(this, shape, options, false);
  }

  /**
   * Normally distributed numbers that are less than two standard deviations from the mean. No number is drawn twice: they are
   * quantiles of numbers that are evenly distributed between those of -2 and 2.
   *
   * @throws as `normal`.
   * Source: `tf.random.truncated_normal`.
   */
  truncatedNormal(shape: readonly number[], options: NormalOptions = {}): Tensor {
    return normal(this, shape, options, true);
  }

  /**
   * 1 with this probability, else 0; in both dtypes the same. Probabilities count in units of 2⁻³².
   *
   * @throws TypeError for arguments of a wrong kind, RangeError for a probability outside of [0, 1].
   * Source: `tfp.distributions.Bernoulli`, `torch.bernoulli`.
   */
  bernoulli(shape: readonly number[], probability: number, options: BernoulliOptions = {}): Tensor {
    return bernoulli(this, shape, probability, options);
  }

  /**
   * Classes, each as often as its logit says: class k with probability softmax(logits)[k]. No gradient flows through.
   *
   * @param logits [classes] or [batch, classes]; -Infinity for a class that never comes.
   * @param numSamples how many for each row. Default: 1.
   * @returns row after row, numSamples indices each, as `ops.gather` takes them.
   * @throws TypeError for arguments of a wrong kind, RangeError for logits of another shape, NaN or Infinity among them, and
   * rows of nothing but -Infinity.
   * Source: `tf.random.categorical`.
   */
  categorical(logits: TensorLike, numSamples = 1, options: SeedOptions = {}): Int32Array {
    return categorical(this, logits, numSamples, options);
  }

  /**
   * A copy of an array with its elements in another order, each order being equally likely. Rows of a tensor:
   * `ops.gather(x, random.permutation(x.shape[0]))`.
   *
   * @throws TypeError for what is no array.
   * Source: `tf.random.shuffle`.
   */
  shuffle<A extends Shuffleable>(array: A, options: SeedOptions = {}): A {
    return shuffle(this, array, options);
  }

  /**
   * The whole numbers from 0 up to n in some order, each order being equally likely.
   *
   * @throws TypeError, RangeError unless n is a whole number below 2³¹.
   * Source: `numpy.random.permutation`, `torch.randperm`.
   */
  permutation(n: number, options: SeedOptions = {}): Int32Array {
    return permutation(this, n, options);
  }

  /**
   * Where all sequences are: `random/keys`, `random/counter`, and `random/op_counters` for `random/op_seeds`, the seeds that
   * draws had.
   */
  state(): StateEntry[] {
    return this.#counters.state();
  }

  /** Goes on from where a generator was when `state()` gave these entries. */
  restore(entries: Iterable<StateEntry>): void {
    restoreParts([this], entries);
  }

  planRestore(source: StateSource): () => void {
    return this.#counters.planRestore(source);
  }
}
