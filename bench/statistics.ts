/** A sample's middle and how far it spreads: `low` and `high` are the quartiles. */
export interface Spread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
  /** What the median itself may be off by, one standard error. */
  readonly error: number;
}

export function quantile(sorted: readonly number[], q: number): number {
  const at = (sorted.length - 1) * q;
  const below = Math.floor(at);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below]! + (sorted[above]! - sorted[below]!) * (at - below);
}

export function spreadOf(sample: readonly number[]): Spread {
  const sorted = [...sample].sort((a, b) => a - b);
  const [low, median, high] = [0.25, 0.5, 0.75].map((q) => quantile(sorted, q)) as [number, number, number];
  // Of a normal distribution, quartiles are 1.349 sigma apart and medians of n spread by 1.253 sigma / √n. Outliers, as
  // when another process takes the core, leave quartiles alone.
  const error = ((high - low) / 1.349) * (1.253 / Math.sqrt(sample.length));
  return { median, low, high, error };
}
