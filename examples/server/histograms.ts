import { histogramOf, type Histogram } from 'gradstep/tensorboard';
import type { FloatArray, Variable } from 'gradstep';

/** How often values occur that are between two limits. */
export interface Bars {
  readonly name: string;
  /** One more than counts. */
  readonly limits: readonly number[];
  readonly counts: readonly number[];
}

const bars = 40;

/** The values of a variable, or its gradient, in bars of even width. */
export function barsOf({ name }: Variable, values: FloatArray): Bars {
  const histogram = histogramOf(values);
  const { min, max, num } = histogram;
  if (num === 0) return { name, limits: [0, 1], counts: [0] };
  if (min === max) return { name, limits: [min - 0.5, min + 0.5], counts: [num] };
  const width = (max - min) / bars;
  const limits = Array.from({ length: bars + 1 }, (_, i) => min + i * width);
  return { name, limits, counts: redistributed(histogram, width) };
}

/** Buckets of TensorFlow's grow from 0 outwards; what lies in each is spread evenly over the bars that it overlaps. */
function redistributed({ min, max, bucketLimit, bucket }: Histogram, width: number): number[] {
  const counts = new Array<number>(bars).fill(0);
  bucket.forEach((count, i) => {
    if (count === 0) return;
    const from = Math.max(min, bucketLimit[i - 1] ?? -Infinity);
    const to = Math.min(max, bucketLimit[i]!);
    const [first, last] = [from, to].map((value) => Math.min(bars - 1, Math.floor((value - min) / width)));
    for (let bar = first!; bar <= last!; bar++) {
      const overlap = Math.min(to, min + (bar + 1) * width) - Math.max(from, min + bar * width);
      counts[bar]! += to > from ? (count * Math.max(0, overlap)) / (to - from) : count;
    }
  });
  return counts;
}
