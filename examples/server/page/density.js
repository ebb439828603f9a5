/** @import { Histogram } from './contract' */

/**
 * The share of all values in each of `rows` equal parts of [low, high], from counts between limits of any spacing: what
 * lies between two limits is taken to be spread evenly.
 * @param {Pick<Histogram, 'limits' | 'counts'>} histogram
 * @param {number} low
 * @param {number} high
 * @param {number} rows
 */
export function resample({ limits, counts }, low, high, rows) {
  const shares = new Float64Array(rows);
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0 || !(high > low)) return shares;
  const height = (high - low) / rows;
  counts.forEach((count, i) => {
    const [from, to] = [limits[i], limits[i + 1]];
    if (count === 0 || !(to >= from) || to < low || from > high) return;
    const first = Math.max(0, Math.floor((from - low) / height));
    const last = Math.min(rows - 1, Math.floor((to - low) / height));
    for (let row = first; row <= last; row++) {
      const start = low + row * height;
      const overlap = Math.min(to, start + height) - Math.max(from, start);
      // All of one value, as zeros are, have no width.
      shares[row] += (count / total) * (to === from ? 1 / (last - first + 1) : Math.max(0, overlap) / (to - from));
    }
  });
  return shares;
}

/**
 * The limits between which nearly all values lie: what is cut off at each end is at most the share `tail`.
 * @param {Pick<Histogram, 'limits' | 'counts'>} histogram
 * @returns {[number, number] | null} null without any
 */
export function bulk({ limits, counts }, tail = 0.002) {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  let [first, below] = [0, 0];
  while (first < counts.length - 1 && below + counts[first] <= tail * total) below += counts[first++];
  let [last, above] = [counts.length - 1, 0];
  while (last > first && above + counts[last] <= tail * total) above += counts[last--];
  return [limits[first], limits[last + 1]];
}

/**
 * What is between all limits of many histograms, and 0.
 * @param {readonly Pick<Histogram, 'limits' | 'counts'>[]} histograms
 * @returns {[number, number]}
 */
export function commonRange(histograms) {
  let [low, high] = [0, 0];
  for (const histogram of histograms) {
    const range = bulk(histogram);
    if (range === null) continue;
    low = Math.min(low, range[0]);
    high = Math.max(high, range[1]);
  }
  return low < high ? [low, high] : [-1, 1];
}

/**
 * The value below which half of all lie.
 * @param {Pick<Histogram, 'limits' | 'counts'>} histogram
 */
export function median({ limits, counts }) {
  const half = counts.reduce((sum, count) => sum + count, 0) / 2;
  let below = 0;
  for (let i = 0; i < counts.length; i++) {
    if (below + counts[i] >= half && counts[i] > 0) {
      return limits[i] + ((half - below) / counts[i]) * (limits[i + 1] - limits[i]);
    }
    below += counts[i];
  }
  return 0;
}
