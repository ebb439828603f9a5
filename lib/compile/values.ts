import type { TaskKind } from '../native';
import { bytesPerElement } from '../tensor/arrays';
import type { TensorDType } from '../tensor/dtype';

// What a program is made of while it is put together.

/** Memory that tasks read and write. */
export class Value {
  /** The first and the last moment at which it is needed: positions in the program. */
  first = Infinity;
  last = -Infinity;
  /** The number of its place, 0 for the arena; where it starts there, in bytes. */
  place = 0;
  offset = 0;
  /** Whether a task needs it, or what comes after. */
  isNeeded = false;
  /** Of what is a part of another value in the arena, so many bytes behind its start. */
  within: Ref | null = null;

  /** @param where what the program computes lies in its arena; all else is elsewhere. */
  constructor(
    readonly dtype: TensorDType,
    readonly length: number,
    readonly where: 'arena' | 'constant' | 'elsewhere',
  ) {}

  get bytes(): number {
    return this.length * bytesPerElement[this.dtype];
  }

  /** Notes that it is needed at this moment. */
  touch(position: number): void {
    this.first = Math.min(this.first, position);
    this.last = Math.max(this.last, position);
  }
}

/** A part of a value, from this many bytes on. */
export interface Ref {
  readonly value: Value;
  readonly offset: number;
}

/** A list of indices: given with each run, or others one after the other. */
export class IndexList {
  /** Each index is to be below. */
  limit = 2 ** 31;
  isNeeded = false;
  /** Among those of the program. */
  number = -1;

  constructor(
    readonly length: number,
    /** How far the next repetition starts behind one. */
    readonly stride: number,
    readonly parts: readonly IndexList[],
    /** What errors call it, and where it comes from: an input, or an array that the function has used. */
    readonly source: { readonly name: string; readonly array: (() => Int32Array) | null },
  ) {}

  /** Notes that each index has to be below `limit`. */
  restrict(limit: number): this {
    this.limit = Math.min(this.limit, limit);
    this.isNeeded = true;
    for (const part of this.parts) part.restrict(limit);
    return this;
  }
}

/** One call of a kernel. */
export interface Task {
  readonly kind: TaskKind;
  readonly dtype: TensorDType;
  readonly option: number;
  /** Those that are written come first. */
  readonly arrays: readonly (Ref | null)[];
  readonly writes: number;
  readonly sizes: readonly number[];
  readonly numbers: readonly number[];
  readonly items: readonly number[];
  readonly terms: readonly Ref[];
  readonly list: IndexList | null;
}

/** What a task reads and writes. */
export function refsOf({ arrays, terms }: Task): Ref[] {
  return [...arrays, ...terms].filter((ref) => ref !== null);
}
