import { sharedArray } from '../dtype';
import { Variable } from '../variable';

/** What a slot is called and starts from. */
export interface SlotDefinition {
  readonly name: string;
  /** Follows the variable's name in the name of the slot's variable. */
  readonly suffix: string;
  readonly initial: (variable: Variable) => number;
}

/** State that an optimizer keeps for each element of its variables, made when it is first needed. */
export class Slots {
  private readonly byVariable = new Map<Variable, Map<string, Variable>>();

  constructor(private readonly definitions: readonly SlotDefinition[]) {}

  /** The slots of a variable, in the rule's order. */
  of(variable: Variable): readonly Variable[] {
    let slots = this.byVariable.get(variable);
    if (slots === undefined) {
      slots = new Map(this.definitions.map((definition) => [definition.name, make(variable, definition)]));
      this.byVariable.set(variable, slots);
    }
    return [...slots.values()];
  }

  get(variable: Variable, name: string): Variable | null {
    return this.byVariable.get(variable)?.get(name) ?? null;
  }

  /** Names of those made so far, sorted. */
  names(): string[] {
    return this.byVariable.size === 0 ? [] : this.definitions.map(({ name }) => name).sort();
  }

  all(): Variable[] {
    return [...this.byVariable.values()].flatMap((slots) => [...slots.values()]);
  }
}

function make(variable: Variable, { suffix, initial }: SlotDefinition): Variable {
  const array = sharedArray(variable.dtype, variable.size);
  const value = initial(variable);
  if (value !== 0) array.fill(value);
  return new Variable(array, { name: `${variable.name}/${suffix}`, trainable: false, shape: variable.shape });
}

/** As TensorFlow names slots: by their owner's name, with _1, _2, ... where it comes again. */
export function suffixes(owners: readonly string[]): string[] {
  return owners.map((owner, i) => {
    const before = owners.slice(0, i).filter((other) => other === owner).length;
    return before === 0 ? owner : `${owner}_${before}`;
  });
}
