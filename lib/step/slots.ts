import { arrayOver, bytesPerElement, type FloatArray } from '../tensor/dtype';
import { Variable } from '../tensor/variable';

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
    this.make([variable]);
    return [...this.byVariable.get(variable)!.values()];
  }

  /** Makes the slots of those variables that have none. */
  make(variables: readonly Variable[]): void {
    const news = variables.filter((variable) => !this.byVariable.has(variable));
    if (news.length === 0) return;
    const made = this.definitions.map((definition) => slotsOf(news, definition));
    news.forEach((variable, i) => {
      this.byVariable.set(variable, new Map(this.definitions.map(({ name }, k) => [name, made[k]![i]!])));
    });
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

function slotsOf(variables: readonly Variable[], { suffix, initial }: SlotDefinition): Variable[] {
  const values = variables.map(initial);
  const arrays = arraysFor(variables);
  return variables.map(({ name, shape }, i) => {
    if (values[i] !== 0) arrays[i]!.fill(values[i]!);
    return new Variable(arrays[i]!, { name: `${name}/${suffix}`, trainable: false, shape });
  });
}

const arenaBytes = 2 ** 20;
const lineBytes = 64;

// Thousands of small arrays lie together, in the order in which steps walk over them: memory is read ahead.
function arraysFor(variables: readonly Variable[]): FloatArray[] {
  const sizes = [0];
  const places = variables.map(({ dtype, size }) => {
    const bytes = Math.ceil((size * bytesPerElement[dtype]) / lineBytes) * lineBytes;
    if (sizes.at(-1)! > 0 && sizes.at(-1)! + bytes > arenaBytes) sizes.push(0);
    const place = { arena: sizes.length - 1, offset: sizes.at(-1)! };
    sizes[place.arena]! += bytes;
    return place;
  });
  const arenas = sizes.map((bytes) => new SharedArrayBuffer(bytes));
  return variables.map(({ dtype, size }, i) => {
    const { arena, offset } = places[i]!;
    return arrayOver(dtype, arenas[arena]!, offset, size);
  });
}

/** As TensorFlow names slots: by their owner's name, with _1, _2, ... where it comes again. */
export function suffixes(owners: readonly string[]): string[] {
  return owners.map((owner, i) => {
    const before = owners.slice(0, i).filter((other) => other === owner).length;
    return before === 0 ? owner : `${owner}_${before}`;
  });
}
