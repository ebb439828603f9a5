/**
 * Leaves out every second of the older three quarters. Done each time that there are too many, it keeps the whole run:
 * fine where it is recent, coarser the longer ago.
 * @template T
 * @param {T[]} list
 * @returns {T[]}
 */
export function thin(list) {
  const recent = Math.floor(list.length * 0.75);
  return list.filter((_, i) => i >= recent || i % 2 === 0);
}

/**
 * Columns of numbers in the order of the first one, as uPlot takes them; as much memory as `most` points need, however
 * long it runs.
 * @template {string} Key
 */
export class Points {
  /** @type {readonly Key[]} */
  #keys;
  /** @type {(number | null)[][]} */
  #columns;
  #most;

  /**
   * @param {readonly Key[]} keys the first is what the points are ordered by
   * @param {number} [most]
   */
  constructor(keys, most = 2000) {
    this.#keys = keys;
    this.#columns = keys.map(() => []);
    this.#most = most;
  }

  get length() {
    return this.#columns[0].length;
  }

  /**
   * Adds a point, in place of those at or after it: a run that is restored goes on from an earlier step.
   * @param {Partial<Record<Key, number | null>>} point
   */
  add(point) {
    const order = point[this.#keys[0]];
    if (typeof order !== 'number' || !Number.isFinite(order)) return;
    const orders = this.#columns[0];
    let kept = orders.length;
    while (kept > 0 && Number(orders[kept - 1]) >= order) kept--;
    this.#keys.forEach((key, i) => {
      const column = this.#columns[i];
      column.length = kept;
      column.push(point[key] ?? null);
    });
    if (this.length > this.#most) this.#columns = this.#columns.map(thin);
  }

  clear() {
    this.#columns = this.#keys.map(() => []);
  }

  /**
   * The numbers of a column, oldest first; not to be changed.
   * @param {Key} key
   */
  column(key) {
    return this.#columns[this.#keys.indexOf(key)];
  }

  /**
   * The newest number of a column.
   * @param {Key} key
   */
  last(key) {
    return this.column(key).at(-1) ?? null;
  }
}

/**
 * What a noisy column tends to: each number counts for less, the older it is.
 * @param {readonly (number | null)[]} column
 * @param {number} [weight] of the newest
 * @returns {(number | null)[]}
 */
export function smooth(column, weight = 0.2) {
  /** @type {number | null} */
  let mean = null;
  return column.map((value) => {
    if (value === null) return null;
    mean = mean === null ? value : mean + weight * (value - mean);
    return mean;
  });
}
