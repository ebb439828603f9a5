import { formatNumber, native } from '../native';
import { valuesOf, type HistogramInput } from './values';

/** How often values of each size occur, as TensorBoard shows it. */
export interface Histogram {
  /** The least finite value; the largest number there is when there is none, as TensorFlow has it. */
  readonly min: number;
  /** The greatest finite value; the opposite of the largest number there is when there is none. */
  readonly max: number;
  /** How many finite values there are. */
  readonly num: number;
  readonly sum: number;
  readonly sumSquares: number;
  /** Where buckets end, ascending: each has the values from the limit before its own on, and below its own. */
  readonly bucketLimit: readonly number[];
  /** How many values each has. */
  readonly bucket: readonly number[];
  /** How many values are NaN or infinite: they are in none of the above. */
  readonly nonFinite: number;
}

const beforeCounts = 6;
let limits: Float64Array | null = null;
const place = new Float64Array(3);

/**
 * The histogram of all values, over TensorFlow's default buckets: limits grow by 1.1 from 1e-12 to 1e20, on both sides of
 * 0, and neighbouring buckets without values are one. It takes one pass over memory, on all threads; counts are exact, and
 * everything is the same on every instruction set and for every number of threads. Sums are in double precision.
 *
 * Values that are NaN or infinite are counted apart, in `nonFinite`; TensorFlow refuses them. -0 counts as 0.
 *
 * @param values a typed array, Tensor, Variable, array of numbers, or IndexedSlices, of which the stored rows count.
 * @throws TypeError for another kind, Error when their memory is gone.
 * Source: `tf.summary.histogram` of TensorFlow 1.
 * @example
 * import { histogramOf } from 'gradstep/tensorboard';
 * const { min, max, num } = histogramOf(new Float32Array([1, 2, 3]));
 */
export function histogramOf(values: HistogramInput): Histogram {
  const { memory, factor } = valuesOf('values', values);
  const out = new Float64Array(beforeCounts + native.histogramBuckets);
  place[0] = memory.locate();
  place[1] = memory.length;
  place[2] = factor;
  native.histogramAt(out, place, formatNumber[memory.dtype]);
  const [num, nonFinite, min, max, sum, sumSquares] = out as unknown as Numbers;
  return { min, max, num, sum, sumSquares, ...merged(out.subarray(beforeCounts)), nonFinite };
}

type Numbers = [num: number, nonFinite: number, min: number, max: number, sum: number, sumSquares: number];

function bucketLimits(): Float64Array {
  if (limits === null) native.histogramLimits((limits = new Float64Array(native.histogramBuckets)));
  return limits;
}

/** Buckets without values that follow each other, as one. */
function merged(counts: Float64Array): Pick<Histogram, 'bucketLimit' | 'bucket'> {
  const ends = bucketLimits();
  const bucketLimit: number[] = [];
  const bucket: number[] = [];
  const { length } = counts;
  for (let i = 0; i < length; i++) {
    const count = counts[i]!;
    if (count === 0) while (i + 1 < length && counts[i + 1] === 0) i++;
    bucketLimit.push(ends[i]!);
    bucket.push(count);
  }
  return { bucketLimit, bucket };
}
