/** @import { Histogram } from './contract' */

/** @typedef {{ from: number, to: number, density: number }} Bar */

/**
 * How dense values are between each two limits, the densest being 1: high bars are where many are, however wide. Values
 * that are all one, as zeros are, get a width to be seen by.
 * @param {Pick<Histogram, 'limits' | 'counts'>} histogram
 * @param {[number, number]} range what is shown; bars that lie outside are left out
 * @returns {Bar[]}
 */
export function densities({ limits, counts }, [low, high]) {
  const narrowest = (high - low) / 200;
  const bars = counts.flatMap((count, i) => {
    const [from, to] = [limits[i], limits[i + 1]];
    if (!(count > 0) || to < low || from > high) return [];
    const missing = Math.max(0, narrowest - (to - from)) / 2;
    return [
      { from: Math.max(low, from - missing), to: Math.min(high, to + missing), count, width: to - from + 2 * missing },
    ];
  });
  const most = bars.reduce((largest, { count, width }) => Math.max(largest, count / width), 0);
  return bars.map(({ from, to, count, width }) => ({ from, to, density: count / width / most }));
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
