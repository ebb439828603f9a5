import { native } from '../native';
import { sharedArrays } from '../tensor/arrays';
import { Memory } from '../tensor/memory';
import { Variable } from '../tensor/variable';

/** What a slot is called and starts from. */
export interface SlotDefinition {
  readonly name: string;
  /** Follows the variable's name in the name of the slot's variable. */
  readonly suffix: string;
  readonly initial: (variable: Variable) => number;
}

type Set = readonly Variable[];

/** State that an optimizer keeps for each element of its variables, made when it is first needed. */
export class Slots {
  // Neither keeps a variable alive; `ids` is for asking which there are.
  private byVariable = new WeakMap<Variable, Set>();
  private ids: number[] = [];
  private idsToSweepAt = 64;
  /** Grows whenever slots are no longer where they were. */
  version = 0;

  constructor(readonly definitions: readonly SlotDefinition[]) {}

  /** The slots of a variable, in the rule's order; undefined while it has none. */
  of(variable: Variable): Set | undefined {
    return this.byVariable.get(variable);
  }

  /**
   * The slots that these variables need and do not have, with what they start from asked: the functions of the user have
   * been called. Null where nothing is missing.
   */
  evaluate(variables: readonly Variable[]): NewSlots | null {
    const missing = variables.filter((variable) => !this.byVariable.has(variable));
    if (missing.length === 0) return null;
    const values = this.definitions.map(({ initial }) => missing.map(initial));
    return new NewSlots(this, this.definitions, missing, values);
  }

  /** Takes over the slots, in the rule's order, of a variable that has none. */
  adopt(variable: Variable, slots: Set): void {
    this.byVariable.set(variable, slots);
    this.ids.push(native.watch(variable, 0));
    if (this.ids.length > this.idsToSweepAt) this.owners();
  }

  /** What the slots of a variable are called here and in a checkpoint, made or not, in the rule's order. */
  namesAndKeys(variable: Variable): { name: string; key: string }[] {
    return this.definitions.map(({ name, suffix }) => ({ name, key: `${variable.name}/${suffix}` }));
  }

  get(variable: Variable, name: string): Variable | null {
    const at = this.definitions.findIndex((definition) => definition.name === name);
    return this.byVariable.get(variable)?.[at] ?? null;
  }

  /** Names of those made so far, sorted. */
  names(): string[] {
    return this.owners().length === 0 ? [] : this.definitions.map(({ name }) => name).sort();
  }

  all(): Variable[] {
    return this.owners().flatMap((variable) => this.byVariable.get(variable) ?? []);
  }

  /** The variables that have slots, in the order in which they got them. */
  owners(): Variable[] {
    const owners: Variable[] = [];
    const ids: number[] = [];
    for (const id of this.ids) {
      const variable = native.watched(id) as Variable | undefined;
      if (variable === undefined || !this.byVariable.has(variable)) continue;
      ids.push(id);
      if (!variable.isDisposed) owners.push(variable);
    }
    this.ids = ids;
    this.idsToSweepAt = 2 * ids.length + 64;
    return owners;
  }

  /** @internal For NewSlots. */
  remove(variable: Variable): void {
    this.byVariable.delete(variable);
    this.version++;
  }

  /** Lets go of all. */
  clear(): void {
    this.byVariable = new WeakMap();
    this.ids = [];
    this.version++;
  }
}

/** Slots on their way: evaluated, then allocated, and seen by nobody before they are published. */
export class NewSlots {
  private readonly made = new Map<Variable, Set>();
  isPublished = false;

  constructor(
    private readonly slots: Slots,
    private readonly definitions: readonly SlotDefinition[],
    private readonly variables: readonly Variable[],
    /** What each definition's slots start from, by variable. */
    private readonly values: readonly (readonly number[])[],
  ) {}

  /** Makes those that are still missing. */
  allocate(): void {
    const missing = this.variables
      .map((variable, i) => ({ variable, i }))
      .filter(({ variable }) => !this.slots.of(variable));
    const arrays = this.definitions.map((_, k) => {
      const made = sharedArrays(missing.map(({ variable }) => variable));
      made.forEach((array, j) => {
        const value = this.values[k]![missing[j]!.i]!;
        if (value !== 0) array.fill(value);
      });
      return made;
    });
    missing.forEach(({ variable: { name, dtype, shape }, variable }, j) => {
      const slots = this.definitions.map(
        ({ suffix }, k) =>
          new Variable(Memory.of(arrays[k]![j]!, dtype), { name: `${name}/${suffix}`, trainable: false, shape }),
      );
      this.made.set(variable, slots);
    });
  }

  of(variable: Variable): Set | undefined {
    return this.made.get(variable);
  }

  publish(): void {
    for (const [variable, slots] of this.made) this.slots.adopt(variable, slots);
    this.isPublished = true;
  }

  withdraw(): void {
    for (const variable of this.made.keys()) this.slots.remove(variable);
    this.isPublished = false;
  }
}

/** As TensorFlow names slots: by their owner's name, with _1, _2, ... where it comes again. */
export function suffixes(owners: readonly string[]): string[] {
  return owners.map((owner, i) => {
    const before = owners.slice(0, i).filter((other) => other === owner).length;
    return before === 0 ? owner : `${owner}_${before}`;
  });
}
