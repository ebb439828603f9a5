import { isFixed, newArray, type DType, type FloatArray } from './dtype';
import { native } from '../native';

/** An array and where it lies: asked for when first needed, then known for as long as the array is in use. */
interface Block {
  readonly array: FloatArray;
  address: number;
}

const unknownAddress = -1;
const blockOf = (array: FloatArray): Block => ({ array, address: unknownAddress });

/**
 * Arrays of tensors that are gone, by dtype and length, for tensors to come. A training loop asks for the same
 * lengths step after step, so after its first steps it allocates nothing.
 */
class Pool {
  private readonly idle = { float32: new Map<number, Shelf>(), float64: new Map<number, Shelf>() };
  private generation = 0;

  take(dtype: DType, length: number): Block {
    const shelf = this.idle[dtype].get(length);
    if (shelf === undefined) return newBlock(dtype, length);
    shelf.used = this.generation;
    return shelf.blocks.pop() ?? newBlock(dtype, length);
  }

  give(dtype: DType, block: Block): void {
    const shelves = this.idle[dtype];
    const { length } = block.array;
    let shelf = shelves.get(length);
    if (shelf === undefined) shelves.set(length, (shelf = { blocks: [], used: this.generation }));
    shelf.blocks.push(block);
  }

  /** Called once a step: lets go of lengths that no recent step has asked for. */
  nextGeneration(): void {
    if (++this.generation % keptGenerations !== 0) return;
    for (const shelves of Object.values(this.idle)) {
      for (const [length, shelf] of shelves) {
        if (this.generation - shelf.used > keptGenerations) shelves.delete(length);
      }
    }
  }
}

interface Shelf {
  readonly blocks: Block[];
  used: number;
}

// Not shared memory: of that the garbage collector does not know how much there is to gain.
const newBlock = (dtype: DType, length: number): Block => blockOf(newArray(dtype, length));

// Long enough for a loop that evaluates now and then, short enough for one whose shapes keep changing.
const keptGenerations = 32;

export const pool = new Pool();

/** The array behind one or more tensors. When the last of them is disposed of, the array goes back to the pool. */
export class Memory {
  private owners = 1;
  /** Why the array is gone, for who still asks for it. */
  whyGone = 'this tensor has been disposed of';
  /** Set by `keep`: not to be retired. */
  kept = false;

  /** The array, or null when it is gone. */
  live: FloatArray | null;

  private constructor(
    private readonly block: Block,
    private readonly dtype: DType,
    /** Whether the array is ours to hand out again; one that came from outside never is. */
    readonly pooled: boolean,
  ) {
    this.live = block.array;
  }

  static take(dtype: DType, length: number): Memory {
    return new Memory(pool.take(dtype, length), dtype, true);
  }

  static over(array: FloatArray, dtype: DType): Memory {
    return new Memory(blockOf(array), dtype, false);
  }

  /** Where the array, which must be live, lies for as long as it keeps its length. */
  get address(): number {
    const { block } = this;
    if (block.address !== unknownAddress) return block.address;
    const address = native.addressOf(block.array);
    if (isFixed(block.array)) block.address = address;
    return address;
  }

  get isShared(): boolean {
    return this.owners > 1;
  }

  share(): this {
    this.owners++;
    return this;
  }

  release(): void {
    if (--this.owners === 0) this.giveBack();
  }

  /** Takes the array from all its tensors. */
  retire(why: string): void {
    if (this.kept) return;
    this.whyGone = why;
    this.giveBack();
  }

  private giveBack(): void {
    if (this.pooled && this.live !== null) pool.give(this.dtype, this.block);
    this.live = null;
  }
}
