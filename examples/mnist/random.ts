/**
 * A generator of pseudorandom numbers in 32-bit integer arithmetic: the same numbers on every machine.
 *
 * Source: PCG-RXS-M-XS 32, O'Neill 2014, "PCG: A Family of Simple Fast Space-Efficient Statistically Good Algorithms for
 * Random Number Generation".
 */
export class Random {
  private state: number;

  /** @param seed a whole number from 0 to 2³² - 1. */
  constructor(seed: number) {
    this.state = seed >>> 0;
    this.next(); // a first number would still show the seed's own pattern
  }

  /** A whole number from 0 to 2³² - 1, each equally likely. */
  next(): number {
    this.state = (Math.imul(this.state, 747796405) + 2891336453) >>> 0;
    const word = Math.imul((this.state >>> ((this.state >>> 28) + 4)) ^ this.state, 277803737);
    return ((word >>> 22) ^ word) >>> 0;
  }

  /** A number in [low, high). */
  uniform(low: number, high: number): number {
    return low + (high - low) * (this.next() / 2 ** 32);
  }

  /** Fisher and Yates: every order equally likely, but for a bias of at most items.length / 2³². */
  shuffle(items: Int32Array): void {
    for (let last = items.length - 1; last > 0; last--) {
      const other = Math.floor((this.next() / 2 ** 32) * (last + 1));
      const item = items[last]!;
      items[last] = items[other]!;
      items[other] = item;
    }
  }
}
