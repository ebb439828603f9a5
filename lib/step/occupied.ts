import { bytesPerElement } from '../tensor/arrays';
import type { Memory } from '../tensor/memory';

/** A stretch of memory and what it is, for the message. */
export interface Stretch {
  readonly memory: Memory;
  readonly address: number;
  readonly what: string;
  /** The variable whose value it is, by its number in the step; −1 for a slot. */
  readonly variable: number;
}

const bytesOf = ({ dtype, length }: Memory): number => length * bytesPerElement[dtype];

/**
 * The memory that a step writes. What would be written twice, or be read while it is written, depends on the order in
 * which threads come to it: such a step is refused.
 */
export class Occupied {
  private readonly stretches: readonly Stretch[];
  private readonly starts: Float64Array;
  private readonly ends: Float64Array;

  /** @throws RangeError when two stretches overlap. */
  constructor(stretches: readonly Stretch[]) {
    const sorted = stretches.filter(({ memory }) => memory.length > 0).sort((a, b) => a.address - b.address);
    this.stretches = sorted;
    this.starts = Float64Array.from(sorted, ({ address }) => address);
    this.ends = Float64Array.from(sorted, ({ address, memory }) => address + bytesOf(memory));
    for (let i = 1; i < sorted.length; i++) {
      if (this.starts[i]! >= this.ends[i - 1]!) continue;
      throw new RangeError(
        `${sorted[i - 1]!.what} and ${sorted[i]!.what} overlap in memory: a step cannot update both`,
      );
    }
  }

  /**
   * A dense gradient may be the very memory of its own variable; what overlaps in any other way is refused.
   * @throws RangeError
   */
  checkGradient(memory: Memory, address: number, isDense: boolean, variable: number, name: string): void {
    if (memory.length === 0) return;
    const end = address + bytesOf(memory);
    let [low, high] = [0, this.starts.length]; // the stretches before `low` start before the gradient's end
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.starts[middle]! < end) low = middle + 1;
      else high = middle;
    }
    if (low === 0 || this.ends[low - 1]! <= address) return;
    const found = this.stretches[low - 1]!;
    if (isDense && found.variable === variable && found.address === address) return;
    throw new RangeError(`gradient of '${name}' overlaps ${found.what} in memory: the step would change what it reads`);
  }
}
