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

  private make(settings: Settings, initial: readonly number[]) {
    const arrays = initial.map((value) => sharedArray('float64', 1).fill(value));
    const suffix = settings.group === 0 ? '' : `_${settings.group}`;
    const variables = arrays.map((array, i) => {
      return new Variable(array, { name: `${this.names[i]!}${suffix}`, trainable: false, shape: [] });
    });
    const scalars = { arrays, variables };
    this.made.set(settings, scalars);
    return scalars;
  }
}
