import type { DType, FloatArray, StateMemory } from '../tensor/dtype';
import type { Variable } from '../tensor/variable';

// State of which each of several ranks has a part: what checkpoints ask of an optimizer that keeps it so.

/** What ranks tell each other by, as far as it matters here: a Communicator. */
export interface Ranks {
  readonly rank: number;
  readonly size: number;
  allGather(arrays: StateMemory, out: StateMemory): void;
  gather(arrays: readonly StateMemory[], out: readonly StateMemory[]): void;
  broadcast(arrays: StateMemory): void;
}

/** A piece of state that belongs to a variable, of which this rank has some elements. */
export interface PartEntry {
  /** The key of the whole: `w/Adam`. */
  readonly key: string;
  /** The key under which `state()` lists what is here. */
  readonly ownKey: string;
  readonly dtype: DType;
  /** Of the whole. */
  readonly shape: readonly number[];
  /** Which elements each rank has, one after the other. */
  readonly ranges: readonly (readonly [begin: number, end: number])[];
  /** Those of this rank. */
  readonly memory: FloatArray;
}

/** What of a piece of state belongs here. */
export interface WantedPart {
  readonly ownKey: string;
  readonly begin: number;
  readonly end: number;
}

/** A variable of which each rank steps some elements. */
export interface Shard {
  readonly whole: Variable;
  /** What of it this rank steps, over the same memory. */
  readonly own: Variable;
  /** Which elements each rank has, one after the other. */
  readonly ranges: readonly (readonly [begin: number, end: number])[];
}

/** How steps are divided by ranks: what compiled steps ask of an optimizer whose steps are. */
export interface Shards {
  readonly rank: number;
  /** These variables as they are divided; those that are not yet, together. */
  plan(variables: readonly Variable[]): readonly Shard[];
  /** Notes that they are divided so, from here on. */
  adopt(shards: readonly Shard[]): void;
}

/** An optimizer's state that is divided by ranks. */
export interface Sharding {
  readonly ranks: Ranks;
  /** All that there is, the same list on all ranks but for the memory. */
  entries(): readonly PartEntry[];
  /**
   * What belongs here of state of these keys once it is restored, by key; nothing of what is not divided.
   * @param variables whose state it may be.
   */
  wanted(keys: ReadonlySet<string>, variables: readonly Variable[]): ReadonlyMap<string, WantedPart>;
}
