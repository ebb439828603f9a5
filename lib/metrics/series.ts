import { checkNumber, checkRange, isNotNegative } from '../checks';
import type { Cells } from './place';

// What the numbers of a series are. Each class writes its own thread's only, and all of one call without calls and loops in
// between: see memory.ts.

/** Of a gauge: its value, and the ticket that it was set with (0: never). */
export const enum GaugeCell {
  Value,
  Set,
}

/** Of a histogram: the sum, how many values were not finite, and how many each bucket has. */
export const enum HistogramCell {
  Sum,
  NonFinite,
  Counts,
}

/** A number that goes up only. Made by `counter` of `Metrics`. */
export class Counter {
  /** @internal */
  constructor(private readonly cells: Cells) {}

  /**
   * Adds to it.
   * @param by default: 1.
   * @throws TypeError for no number, RangeError for a negative or infinite one or NaN.
   */
  inc(by = 1): void {
    checkRange('by', by, 'finite and not negative', isNotNegative);
    const { numbers, at } = this.cells;
    numbers[at]! += by;
  }
}

/** A number that goes up and down. Made by `gauge` of `Metrics`. */
export class Gauge {
  /** @internal */
  constructor(private readonly cells: Cells) {}

  /**
   * Makes it a number; NaN and infinities are.
   * @throws TypeError for another kind.
   */
  set(value: number): void {
    checkNumber('value', value);
    this.setWith(value, this.ticket());
  }

  /** @internal */
  ticket(): number {
    return this.cells.memory.ticket();
  }

  /** @internal The same, of a number, with a ticket that has been taken. */
  setWith(value: number, ticket: number): void {
    const { numbers, at } = this.cells;
    numbers[at] = value;
    numbers[at + GaugeCell.Set] = ticket;
  }

  /**
   * Adds to what this thread has set.
   * @param by default: 1.
   * @throws TypeError for no number.
   */
  inc(by = 1): void {
    const { numbers, at } = this.cells;
    checkNumber('by', by);
    this.set(numbers[at]! + by);
  }

  /**
   * Takes from what this thread has set.
   * @param by default: 1.
   * @throws TypeError for no number.
   */
  dec(by = 1): void {
    checkNumber('by', by);
    this.inc(-by);
  }
}

/** How often values of each size have been observed. Made by `histogram` of `Metrics`. */
export class Histogram {
  /** @internal */
  constructor(
    private readonly cells: Cells,
    private readonly buckets: Float64Array,
  ) {}

  /**
   * Counts a value, in the first bucket whose limit is not less. One that is NaN or infinite is counted apart, in the counter
   * `<name>_nonfinite_total`: the sum of all would be NaN from then on.
   * @throws TypeError for no number.
   */
  observe(value: number): void {
    checkNumber('value', value);
    const { numbers, at } = this.cells;
    if (value - value !== 0) {
      numbers[at + HistogramCell.NonFinite]! += 1;
      return;
    }
    const bucket = at + HistogramCell.Counts + this.bucketOf(value);
    numbers[at]! += value;
    numbers[bucket]! += 1;
  }

  /** Starts to measure. @returns what ends that: it observes the seconds between, and returns them. */
  startTimer(): () => number {
    const start = performance.now();
    return () => {
      const seconds = (performance.now() - start) / 1000;
      this.observe(seconds);
      return seconds;
    };
  }

  private bucketOf(value: number): number {
    const { buckets } = this;
    let low = 0;
    let high = buckets.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (value <= buckets[middle]!) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
