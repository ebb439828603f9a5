import { sharedArray } from '../tensor/arrays';
import type { FloatArray } from '../tensor/dtype';
import { Variable } from '../tensor/variable';
import type { Settings } from './settings';

/**
 * State of an optimizer that belongs to no variable: a few scalars for each group of variables that steps by itself.
 * Held as float64, where TensorFlow rounds them to float32.
 */
export class NonSlots {
  private readonly made = new Map<Settings, { arrays: readonly FloatArray[]; variables: readonly Variable[] }>();

  constructor(private readonly names: readonly string[]) {}

  /** The scalars of a group, each in an array of its own, made of `initial()` when there are none yet. */
  of(settings: Settings, initial: () => readonly number[]): readonly FloatArray[] {
    return (this.made.get(settings) ?? this.make(settings, initial())).arrays;
  }

  /** The scalars of a group, where there are any yet. */
  find(settings: Settings): readonly FloatArray[] | undefined {
    return this.made.get(settings)?.arrays;
  }

  variables(): Variable[] {
    return [...this.made.values()].flatMap(({ variables }) => variables);
  }

  clear(): void {
    this.made.clear();
  }

  /** The groups that have theirs. */
  settings(): Settings[] {
    return [...this.made.keys()];
  }

  /** The scalars of a group, or null when there are none yet. */
  existing(settings: Settings): readonly Variable[] | null {
    return this.made.get(settings)?.variables ?? null;
  }

  /** The names of a group's scalars, made or not. */
  keys({ group }: Settings): string[] {
    return this.names.map((name) => (group === 0 ? name : `${name}_${group}`));
  }

  /** Takes over the scalars of a group that has none. */
  adopt(settings: Settings, arrays: readonly FloatArray[]) {
    const keys = this.keys(settings);
    const variables = arrays.map((array, i) => new Variable(array, { name: keys[i]!, trainable: false, shape: [] }));
    const scalars = { arrays, variables };
    this.made.set(settings, scalars);
    return scalars;
  }

  private make(settings: Settings, initial: readonly number[]) {
    return this.adopt(
      settings,
      initial.map((value) => sharedArray('float64', 1).fill(value)),
    );
  }
}
