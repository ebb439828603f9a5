import { sharedArray } from '../tensor/arrays';
import type { FloatArray } from '../tensor/dtype';
import { Memory } from '../tensor/memory';
import { Variable } from '../tensor/variable';
import type { Commit } from './commit';
import type { Settings } from './settings';

/** The scalars of one group. */
interface Scalars {
  readonly settings: Settings;
  readonly arrays: readonly FloatArray[];
  readonly variables: readonly Variable[];
}

/**
 * State of an optimizer that belongs to no variable: a few scalars for each group of variables that steps by itself.
 * Held as float64, where TensorFlow rounds them to float32.
 */
export class NonSlots {
  // By the number of the group: two look-ups in a map are a fifteenth of a step of 16 elements.
  private readonly made: (Scalars | undefined)[] = [];
  /** Copies in place of the arrays of `made`, while a step's writes are being gathered. */
  private staged: (readonly FloatArray[] | undefined)[] | null = null;

  constructor(private readonly names: readonly string[]) {}

  /** The scalars of a group, each in an array of its own, made of `initial()` when there are none yet. */
  of(settings: Settings, initial: () => readonly number[]): readonly FloatArray[] {
    return this.find(settings) ?? this.make(settings, initial());
  }

  /** The scalars of a group, where there are any yet. */
  find(settings: Settings): readonly FloatArray[] | undefined {
    const { group } = settings;
    return this.staged === null ? this.made[group]?.arrays : (this.staged[group] ?? this.made[group]?.arrays);
  }

  /** Calls `change`, and notes what it writes into the scalars for the commit: they stay as they are. */
  stage(commit: Commit, change: () => void): void {
    const staged = this.made.map((scalars) => scalars?.arrays.map((array) => array.slice()));
    this.staged = staged;
    try {
      change();
    } finally {
      this.staged = null;
    }
    this.made.forEach((scalars, group) => {
      scalars?.variables.forEach(({ memory }, i) => {
        const value = staged[group]?.[i]?.[0];
        if (value !== undefined && !Object.is(value, memory.array[0])) commit.write(memory, value);
      });
    });
  }

  variables(): Variable[] {
    return this.made.flatMap((scalars) => scalars?.variables ?? []);
  }

  clear(): void {
    this.made.length = 0;
  }

  /** The groups that have theirs. */
  settings(): Settings[] {
    return this.made.flatMap((scalars) => scalars?.settings ?? []);
  }

  /** The scalars of a group, or null when there are none yet. */
  existing(settings: Settings): readonly Variable[] | null {
    return this.made[settings.group]?.variables ?? null;
  }

  /** The names of a group's scalars, made or not. */
  keys({ group }: Settings): string[] {
    return this.names.map((name) => (group === 0 ? name : `${name}_${group}`));
  }

  /** Takes over the scalars of a group that has none. */
  adopt(settings: Settings, memories: readonly Memory[]): readonly FloatArray[] {
    const keys = this.keys(settings);
    const variables = memories.map((memory, i) => {
      return new Variable(memory, { name: keys[i]!, trainable: false, shape: [] });
    });
    const arrays = memories.map(({ array }) => array);
    this.made[settings.group] = { settings, arrays, variables };
    return arrays;
  }

  private make(settings: Settings, initial: readonly number[]): readonly FloatArray[] {
    return this.adopt(
      settings,
      initial.map((value) => Memory.of(sharedArray('float64', 1).fill(value), 'float64')),
    );
  }
}
