import { isIterable, isWhole, shown } from '../checks';
import { copyInto, isSharedForGood, kindOf, lengthNow, lengthOf, plainArray } from './arrays';
import type { DType, FloatArray, StateMemory } from './dtype';
import { Memory } from './memory';
import { overwrite } from './overwrite';
import { checkShape, frozen, sameShape, showShape, sizeOf } from './shape';
import type { Variable } from './variable';

// The protocol of state: what lists it, and what takes it over. Checkpoints and workers are built on it.

/** Element types of state. */
export type StateDType = DType | 'int32' | 'int64';

export type { StateMemory } from './dtype';

/** One piece of state that a run needs to continue byte for byte. */
export interface StateEntry {
  /** Unlike all others of its owner: `w`, `w/Adam`, `beta1_power`, `global_step`. */
  readonly key: string;
  readonly dtype: StateDType;
  /** `[]` for a scalar. */
  readonly shape: readonly number[];
  /**
   * Row-major. The live memory where the owner keeps the state in an array: it changes with the next step, `copyState`
   * holds on to it. Counts and lists come as they are now, in an array made for them.
   */
  readonly memory: StateMemory;
}

export interface RestoreOptions {
  /** Whose slots, averages and gathered gradients may be among the state: an object that has not seen its variables yet
   * finds them here by their names. Default: those that it knows. */
  variables?: Iterable<Variable>;
  /** Whether slots, averages and scalars that do not exist yet come to lie in the given memory itself, which must be over
   * a SharedArrayBuffer that cannot grow. What exists keeps its memory and is written to. Default: false, copied. */
  adopt?: boolean;
}

/** What has state that a run needs to continue byte for byte. */
export interface Stateful {
  /**
   * All of its state, sorted by key. What does not exist yet (slots before the first step, say) is not listed.
   * @throws Error when two pieces have one key, naming both.
   */
  state(): StateEntry[];
  /**
   * Becomes what it was when `state()` gave these entries. When it throws, nothing has changed.
   * @throws Error for missing, unknown and duplicate keys and variables that are not known, TypeError for another dtype
   * or what is no entry, RangeError for another shape or numbers out of range; each names the key.
   */
  restore(entries: Iterable<StateEntry>, options?: RestoreOptions): void;
  /**
   * The first half of `restore`: takes its own from `source`, checks it, and changes nothing.
   * @returns the second half, which cannot fail.
   * @throws what `restore` throws, but for unknown keys.
   */
  planRestore(source: StateSource): () => void;
}

/** An entry of numbers that can lie in a tensor. */
export type FloatEntry = StateEntry & { readonly dtype: DType; readonly memory: FloatArray };

/** One entry, checked, and who has taken it. */
interface Row {
  readonly entry: StateEntry;
  owner: string | null;
  /** Whether the owner found it by the form of its key: then another may have a claim to it too. */
  isFound: boolean;
}

/** Entries to restore from. Each part takes those that are its own; what nobody has taken in the end is unknown. */
export class StateSource {
  private constructor(
    private readonly rows: ReadonlyMap<string, Row>,
    /** Variables that state may be of. */
    readonly variables: readonly Variable[],
    /** Whether what does not exist yet takes the given memory for its own. */
    readonly adopts: boolean,
    /** @internal Whether what exists does so too: all state is another thread's from then on. */
    readonly replaces: boolean,
    private readonly owner: string,
    private readonly prefix: string,
  ) {}

  /** @internal @throws TypeError for what is no entry, RangeError for another size than the shape's, Error for duplicates. */
  static of(
    entries: Iterable<StateEntry>,
    variables: readonly Variable[],
    adopts: boolean,
    replaces = false,
  ): StateSource {
    if (!isIterable(entries)) {
      throw new TypeError(`entries must be an iterable of state entries, got ${shown(entries)}`);
    }
    const rows = new Map<string, Row>();
    for (const given of entries) {
      const entry = checkedEntry(given);
      if (rows.has(entry.key)) throw new Error(`state has the key ${shown(entry.key)} twice`);
      rows.set(entry.key, { entry, owner: null, isFound: false });
    }
    return new StateSource(rows, variables, adopts, replaces, 'the state', '');
  }

  /** @internal The same entries, in the name of another owner. */
  for(owner: string): StateSource {
    return new StateSource(this.rows, this.variables, this.adopts, this.replaces, owner, this.prefix);
  }

  /** @internal Of the entries those whose keys start with `prefix`, without it. */
  under(prefix: string): StateSource {
    return new StateSource(this.rows, this.variables, this.adopts, this.replaces, this.owner, this.prefix + prefix);
  }

  /** Whether there is an entry of this key, taken or not. */
  has(key: string): boolean {
    return this.rows.has(this.prefix + key);
  }

  /**
   * Keys that nobody has asked for by name, for an owner that knows only the form of its keys; to be taken with `find`.
   */
  unclaimed(): string[] {
    const { prefix } = this;
    return [...this.rows]
      .filter(([key, { owner, isFound }]) => key.startsWith(prefix) && (owner === null || isFound))
      .map(([key]) => key.slice(prefix.length));
  }

  /**
   * Takes an entry.
   * @param dtype `'float'` is either of float32 and float64.
   * @param shape default: any.
   * @throws Error when it is missing or somebody else's, TypeError for another dtype, RangeError for another shape.
   */
  take(key: string, dtype: 'int64', shape?: readonly number[]): StateEntry & { memory: BigInt64Array };
  take(key: string, dtype: 'int32', shape?: readonly number[]): StateEntry & { memory: Int32Array };
  take(key: string, dtype: DType | 'float', shape?: readonly number[]): FloatEntry;
  take(key: string, dtype: StateDType | 'float', shape?: readonly number[]): StateEntry {
    const full = this.prefix + key;
    const row = this.rows.get(full);
    if (row === undefined) throw new Error(`state lacks ${shown(full)}, which ${this.owner} needs`);
    if (row.owner !== null) {
      throw new Error(`${shown(full)} in the state would belong to ${row.owner} and to ${this.owner}`);
    }
    const { entry } = row;
    if (dtype === 'float' ? !entry.dtype.startsWith('float') : entry.dtype !== dtype) {
      throw new TypeError(`${shown(full)} in the state is ${entry.dtype}, expected ${dtype}`);
    }
    if (shape !== undefined && !sameShape(entry.shape, shape)) {
      throw new RangeError(
        `${shown(full)} in the state has shape ${showShape(entry.shape)}, expected ${showShape(shape)}`,
      );
    }
    row.owner = this.owner;
    return entry;
  }

  /** `take`, for keys of `unclaimed`: another owner that looks for the same is refused. */
  find(key: string, dtype: DType | 'float', shape?: readonly number[]): FloatEntry {
    const entry = this.take(key, dtype, shape);
    this.rows.get(this.prefix + key)!.isFound = true;
    return entry;
  }

  /** Takes a whole number that is not negative. @throws what `take` throws, RangeError for another number. */
  takeCount(key: string): number {
    return this.takeCounts(key, [])[0]!;
  }

  /** Takes a list of whole numbers that are not negative. @throws as takeCount. */
  takeCounts(key: string, shape?: readonly number[]): number[] {
    const entry = this.take(key, 'int64', shape);
    if (entry.shape.length > 1) this.refuse(key, `has shape ${showShape(entry.shape)}, expected a list`);
    return Array.from(entry.memory, (value) => {
      const count = Number(value);
      if (!isWhole(count)) this.refuse(key, `holds ${value}, expected whole numbers that are not negative`);
      return count;
    });
  }

  /** @throws RangeError that says what is wrong with the entry of this key. */
  refuse(key: string, why: string): never {
    throw new RangeError(`${shown(this.prefix + key)} in the state ${why}`);
  }

  /**
   * The variable of this name, of those known.
   * @param own those that the owner knows beside `variables`.
   * @throws Error when there is none, or more than one, and when it is disposed of.
   */
  variableNamed(name: string, own: Iterable<Variable>): Variable {
    const found = new Set([...own, ...this.variables].filter((variable) => variable.name === name));
    if (found.size === 0) {
      throw new Error(
        `state of ${this.owner} is of a variable '${name}', which is not known: give it in { variables }`,
      );
    }
    if (found.size > 1)
      throw new Error(`state of ${this.owner} is of '${name}', which ${found.size} variables are named`);
    const [variable] = found;
    void variable!.data; // throws when it is disposed of
    return variable!;
  }

  /**
   * @internal Memory for what does not exist yet: the entry's own where it is to be adopted, else `fresh()` with its values.
   * @throws TypeError for memory that cannot be adopted.
   */
  memoryOf({ key, dtype, memory }: FloatEntry, fresh: () => FloatArray): Memory {
    if (!this.adopts || lengthOf(memory) === 0) {
      const copy = fresh(); // nothing is to be shared of what has no elements
      copyInto(copy, memory);
      return Memory.of(copy, dtype);
    }
    const own = Memory.of(memory, dtype);
    if (own.isPermanent) return own;
    throw new TypeError(`${shown(key)} in the state cannot be adopted: its memory is not a fixed SharedArrayBuffer`);
  }

  /** @internal The memory of a count that has been taken, which is adopted. @throws TypeError for memory that cannot be. */
  memoryOfCount(key: string): BigInt64Array {
    const { memory } = this.rows.get(this.prefix + key)!.entry;
    if (isSharedForGood(memory)) return memory as BigInt64Array;
    throw new TypeError(`${shown(this.prefix + key)} in the state cannot be adopted: its memory is not shared`);
  }

  /** @internal @throws Error for entries that nobody has taken, and for those whose memory has been taken away. */
  checkAllTaken(): void {
    for (const { entry } of this.rows.values()) checkIsThere(entry);
    const unknown = [...this.rows].filter(([, { owner }]) => owner === null).map(([key]) => shown(key));
    if (unknown.length === 0) return;
    const more = unknown.length > 5 ? ` and ${unknown.length - 5} more` : '';
    const keys = unknown.slice(0, 5).join(', ') + more;
    throw new Error(`state has ${keys}, which nothing here is the owner of (are its variables among { variables }?)`);
  }
}

const kinds = { float32: 'Float32Array', float64: 'Float64Array', int32: 'Int32Array', int64: 'BigInt64Array' };

function checkedEntry(from: unknown): StateEntry {
  if (typeof from !== 'object' || from === null) {
    throw new TypeError(`entries must hold state entries, got ${shown(from)}`);
  }
  const { key, dtype, shape: sizes, memory } = from as Partial<Record<keyof StateEntry, unknown>>;
  const shape: unknown = Array.isArray(sizes) ? [...(sizes as unknown[])] : sizes;
  if (typeof key !== 'string') throw new TypeError(`key of a state entry must be a string, got ${shown(key)}`);
  const of = `of ${shown(key)} in the state`;
  if (typeof dtype !== 'string' || !Object.hasOwn(kinds, dtype)) {
    throw new TypeError(`dtype ${of} must be one of ${Object.keys(kinds).join(', ')}, got ${shown(dtype)}`);
  }
  const expected = kinds[dtype as StateDType];
  if (kindOf(memory) !== expected) {
    throw new TypeError(`memory ${of} must be a ${expected}, as it is ${dtype}, got ${shown(memory)}`);
  }
  checkShape(`shape ${of}`, shape);
  const given = { key, dtype: dtype as StateDType, shape: frozen(shape), memory: memory as StateMemory };
  checkIsThere(given);
  return { ...given, memory: plainArray(given.memory) };
}

/** @throws RangeError unless the memory has as many elements as the shape needs. */
function checkIsThere({ key, shape, memory }: StateEntry): void {
  const length = lengthNow(memory);
  if (length === sizeOf(shape)) return;
  throw new RangeError(
    `memory of ${shown(key)} in the state has ${length} elements, shape ${showShape(shape)} needs ${sizeOf(shape)}`,
  );
}

/** An entry for what is kept as numbers: a count without a shape, or a list of them. */
export function countsEntry(key: string, counts: number | readonly number[]): StateEntry {
  const list = typeof counts === 'number' ? [counts] : counts;
  const shape = typeof counts === 'number' ? [] : [list.length];
  return { key, dtype: 'int64', shape, memory: BigInt64Array.from(list, BigInt) };
}

/** The entry of a variable, under its name. */
export function variableEntry({ name, dtype, shape, data }: Variable): StateEntry {
  return { key: name, dtype, shape, memory: data };
}

/** The entries of variables, by their names. @throws Error when two have one name. */
export function stateOfVariables(variables: readonly Variable[]): StateEntry[] {
  return uniqueEntries(
    variables.map((variable) => [`a variable of shape ${showShape(variable.shape)}`, variableEntry(variable)] as const),
  );
}

/** Plans to overwrite variables, each with the entry of its name. */
export function planVariables(source: StateSource, variables: readonly Variable[]): () => void {
  const writes = variables.map((variable) => {
    variable.checkQuiet();
    const { data } = variable; // throws when its memory is gone
    const { memory } = source.take(variable.name, variable.dtype, variable.shape);
    return () => overwrite(data, memory);
  });
  return inOrder(writes);
}

/** One function for several that are called in their order. */
export function inOrder(steps: readonly (() => void)[]): () => void {
  return () => {
    for (const step of steps) step();
  };
}

export function sortedByKey(entries: readonly StateEntry[]): StateEntry[] {
  return [...entries].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
}

/**
 * Entries with owners that errors can name, sorted by key.
 * @throws Error when two have one key, naming both owners.
 */
export function uniqueEntries(owned: Iterable<readonly [owner: string, entry: StateEntry]>): StateEntry[] {
  const owners = new Map<string, string>();
  const entries: StateEntry[] = [];
  for (const [owner, entry] of owned) {
    const other = owners.get(entry.key);
    if (other !== undefined) throw new Error(`${shown(entry.key)} is the key of state of ${other} and of ${owner}`);
    owners.set(entry.key, owner);
    entries.push(entry);
  }
  return sortedByKey(entries);
}

const labels = new WeakMap<Stateful, string>();

/** What errors call a part: its class, its name where it has one, and its place in the list. */
function labelOf(part: Stateful, i: number): string {
  const label = labels.get(part);
  if (label !== undefined) return label;
  const { name } = part as { name?: unknown };
  const className = typeof part === 'function' ? 'a function' : shown(part);
  return `${className}${typeof name === 'string' && name !== '' ? ` '${name}'` : ''} (part ${i})`;
}

/** @throws TypeError for what has no state. */
export function checkParts(parts: unknown): Stateful[] {
  if (!isIterable(parts)) {
    throw new TypeError(`parts must be an iterable of what has state, got ${shown(parts)}`);
  }
  return [...parts].map((part, i) => {
    const { state, planRestore } = (part ?? {}) as Partial<Stateful>;
    if (typeof state === 'function' && typeof planRestore === 'function') return part as Stateful;
    throw new TypeError(`parts[${i}] must have state() and planRestore(), got ${shown(part)}`);
  });
}

/**
 * The state of several objects in one list, sorted by key, over their live memory.
 *
 * @throws TypeError for what has no state, Error when two pieces have one key, naming both owners; `prefixed` tells them
 * apart.
 * @example
 * const globalStep = createGlobalStep();
 * const entries = collectState([v, w, optimizer, globalStep]);
 */
export function collectState(parts: Iterable<Stateful>): StateEntry[] {
  return uniqueEntries(
    checkParts(parts).flatMap((part, i) => part.state().map((entry) => [labelOf(part, i), entry] as const)),
  );
}

/**
 * @internal All state of a part comes to lie in another thread's memory.
 * @throws what `restore` throws, and TypeError for memory that is not shared.
 */
export function adoptState(part: Stateful, entries: Iterable<StateEntry>, variables: readonly Variable[]): void {
  const source = StateSource.of(entries, variables, true, true).for(shown(part));
  const commit = part.planRestore(source);
  source.checkAllTaken();
  commit();
}

/** @internal Restores several objects, all or nothing. */
export function restoreParts(...given: Parameters<typeof planParts>): void {
  planParts(...given)();
}

/** @internal The first half of that, which changes nothing. Returns the second half, which cannot fail. */
export function planParts(
  parts: Iterable<Stateful>,
  entries: Iterable<StateEntry>,
  variables: readonly Variable[] = [],
  adopt = false,
  isFirst: (part: Stateful) => boolean = () => false,
): () => void {
  const list = checkParts(parts).map((part, i) => [part, labelOf(part, i)] as const);
  const source = StateSource.of(entries, variables, adopt);
  // What is known by its name takes its own before what goes by the form of keys.
  const inTurn = [...list.filter(([part]) => isFirst(part)), ...list.filter(([part]) => !isFirst(part))];
  const commits = inTurn.map(([part, label]) => part.planRestore(source.for(label)));
  source.checkAllTaken();
  return inOrder(commits);
}

/** Entries of the same keys and values in memory of their own, which the next step does not change. */
export function copyState(entries: Iterable<StateEntry>): StateEntry[] {
  return Array.from(entries, ({ key, dtype, shape, memory }) => ({ key, dtype, shape, memory: memory.slice() }));
}

/**
 * The same object with keys that start with `prefix/`, so that two of a kind fit into one list.
 *
 * @throws TypeError for a prefix of another kind or what has no state, RangeError for an empty prefix.
 * @example
 * const other = new AdamOptimizer();
 * collectState([prefixed('generator', optimizer), prefixed('discriminator', other)]);
 */
export function prefixed(prefix: string, part: Stateful): Stateful {
  if (typeof prefix !== 'string') throw new TypeError(`prefix must be a string, got ${shown(prefix)}`);
  if (prefix === '') throw new RangeError('prefix must not be empty');
  const [inner] = checkParts([part]) as [Stateful];
  const own: Stateful = {
    state: () => inner.state().map((entry) => ({ ...entry, key: `${prefix}/${entry.key}` })),
    restore: (entries, options) => {
      const all = [...entries];
      const start = `${prefix}/`;
      const foreign = all.find(({ key }) => !key.startsWith(start));
      if (foreign !== undefined)
        throw new Error(`state has ${shown(foreign.key)}, expected keys that start with '${start}'`);
      inner.restore(
        all.map((entry) => ({ ...entry, key: entry.key.slice(start.length) })),
        options,
      );
    },
    planRestore: (source) => inner.planRestore(source.under(`${prefix}/`)),
  };
  labels.set(own, `'${prefix}'`);
  return own;
}
