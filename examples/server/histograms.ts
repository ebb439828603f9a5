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
  const around = Math.max(0.5, Math.abs(min) / 2);
  if (min === max) return { name, limits: [min - around, min + around], counts: [num] };
  const width = (max - min) / bars;
  if (min + width === min) return { name, limits: [min, max], counts: [num] }; // neighbours, as numbers go
  const limits = Array.from({ length: bars + 1 }, (_, i) => min + i * width);
  return { name, limits, counts: redistributed(histogram, width) };
}

/** Buckets of TensorFlow's grow from 0 outwards; what lies in each is spread evenly over the bars that it overlaps. */
function redistributed({ min, max, bucketLimit, bucket }: Histogram, width: number): number[] {
  const counts = new Array<number>(bars).fill(0);
  const barAt = (value: number): number => Math.min(bars - 1, Math.floor((value - min) / width));
  bucket.forEach((count, i) => {
    if (count === 0) return;
    const from = Math.max(min, bucketLimit[i - 1] ?? -Infinity);
    const to = Math.min(max, bucketLimit[i]!);
    const first = barAt(from);
    const overlaps = Array.from({ length: barAt(to) - first + 1 }, (_, k) => {
      const start = min + (first + k) * width;
      return Math.max(0, Math.min(to, start + width) - Math.max(from, start));
    });
    const all = overlaps.reduce((sum, overlap) => sum + overlap, 0);
    if (all > 0) overlaps.forEach((overlap, k) => (counts[first + k]! += (count * overlap) / all));
    else counts[first]! += count; // too narrow to have a width
  });
  return counts;
}
