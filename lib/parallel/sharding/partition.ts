/** How work on long arrays is cut, as native/drivers/blocks.h has it: norms are sums over blocks in their order. */
export const blockElements = 2 ** 14;

/** Elements of a variable: from the first up to the second. */
export type Range = readonly [begin: number, end: number];

/** What is to be divided: something of so many elements, each of so many bytes. */
export interface Divisible {
  readonly size: number;
  readonly bytesPerElement: number;
}

/**
 * Divides a list of arrays by ranks: the first rank has the first bytes, and so on. Cuts are only made where a block starts,
 * so that a rank has at most one block more than its share.
 *
 * @param block how many elements go together. Infinity leaves every array whole.
 * @returns for each array the range of each rank, which may be empty: one follows the other.
 */
export function divided(arrays: readonly Divisible[], ranks: number, block: number): Range[][] {
  const total = arrays.reduce((sum, { size, bytesPerElement }) => sum + size * bytesPerElement, 0);
  let before = 0;
  return arrays.map(({ size, bytesPerElement }) => {
    // Rank r has the blocks whose first byte is at r/n of all bytes or later, and before (r + 1)/n.
    const startOf = (rank: number): number => {
      if (rank === 0) return 0;
      if (rank === ranks) return size;
      const elements = (Math.ceil((rank * total) / ranks) - before) / bytesPerElement;
      if (elements <= 0) return 0;
      if (!Number.isFinite(block)) return size;
      return Math.min(size, Math.ceil(elements / block) * block);
    };
    const ranges = Array.from({ length: ranks }, (_, rank): Range => [startOf(rank), startOf(rank + 1)]);
    before += size * bytesPerElement;
    return ranges;
  });
}

/** How many blocks a range has: it starts with one. */
export const blocksIn = ([begin, end]: Range): number => Math.ceil((end - begin) / blockElements);
