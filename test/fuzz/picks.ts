/** Decisions, drawn from a row of numbers that fast-check makes and shrinks: where all are 0, everything is plain. */
export class Picks {
  private at = 0;

  constructor(private readonly numbers: readonly number[]) {}

  /** A number in [0, 2^16). */
  next(): number {
    return this.numbers[this.at++] ?? 0;
  }

  /** A whole number in [0, n). */
  below(n: number): number {
    return this.next() % n;
  }

  of<T>(list: readonly [T, ...T[]]): T {
    return list[this.below(list.length)]!;
  }

  /** One of them, the newest when all is plain. */
  oneOf<T>(list: readonly T[]): T | undefined {
    return list.length === 0 ? undefined : list[list.length - 1 - this.below(list.length)];
  }

  /** True in so many of 100 cases, never when all is plain. */
  isRare(percent: number): boolean {
    return this.next() % 100 >= 100 - percent;
  }

  /** Decisions for later, for what a function does when it is called. */
  fork(): Picks {
    return new Picks(Array.from({ length: 12 }, () => this.next()));
  }
}
