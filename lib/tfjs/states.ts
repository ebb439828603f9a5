import { Variable } from '../tensor/variable';
import type { Mechanism } from '../step/plan';
import type { Engine, TfNamedTensor, TfTensor, TfVariable } from './engine';

// State is kept by variable: TensorFlow.js keeps it by the position in the list of a step, which goes wrong as soon as
// the list changes.

/** What an optimizer keeps for a variable. */
export interface VariableState {
  readonly variable: TfVariable;
  /** Stands for it where settings are asked for: it has its name. */
  readonly standIn: Variable;
  /** In the order of the rule. */
  readonly slots: readonly TfVariable[];
}

const standIns = new WeakMap<TfVariable, Variable>();

/** The Variable without values that settings and groups know a variable of TensorFlow.js by. */
export function standInFor(variable: TfVariable): Variable {
  let standIn = standIns.get(variable);
  if (standIn === undefined) {
    standIn = Variable.over(new Float32Array(0), { name: variable.name, trainable: false });
    standIns.set(variable, standIn);
  }
  return standIn;
}

/** State that was set and waits for its variable. */
interface Waiting {
  readonly name: string;
  readonly slots: readonly TfVariable[];
}

export class States {
  private states = new Map<TfVariable, VariableState>();
  private waiting: Waiting[] = [];

  /** @param suffixes what each slot is called after the variable's name, in the order of the rule. */
  constructor(
    private readonly engine: Engine,
    private readonly mechanism: Mechanism,
    private readonly suffixes: readonly string[],
  ) {}

  /** The states of a step's variables, made where there are none. @throws RangeError for one that waits with another shape. */
  of(variables: readonly TfVariable[]): VariableState[] {
    this.dropDisposed();
    if (this.waiting.length > 0) this.handOut(variables);
    return variables.map((variable) => this.states.get(variable) ?? this.make(variable));
  }

  /** All slots as weights: slot by slot, for each variable. */
  weights(): TfNamedTensor[] {
    this.dropDisposed();
    const all = [...this.states.values()].map(({ variable, slots }) => ({ name: variable.name, slots }));
    all.push(...this.waiting);
    return this.suffixes.flatMap((suffix, k) =>
      all.map(({ name, slots }) => ({ name: `${name}/${suffix}`, tensor: slots[k]! })),
    );
  }

  /** Replaces all state by such weights, which belong to the variables of the next step: by their names, or in their order. */
  set(weights: readonly TfNamedTensor[]): void {
    const kinds = this.suffixes.length;
    if (kinds === 0 ? weights.length > 0 : weights.length % kinds !== 0) {
      // TensorFlow.js makes of them what it can, and goes on.
      process.emitWarning(
        `the weights are another optimizer's: ${weights.length}, where each variable has ${kinds}; its state starts anew`,
      );
      this.dispose();
      return;
    }
    const count = kinds === 0 ? 0 : weights.length / kinds;
    const made = Array.from({ length: count }, (_, i) => ({
      name: withoutSuffix(weights[i]!.name),
      // Memory is shared with the given tensors until a step writes to it.
      slots: this.suffixes.map((_, k) => this.engine.makeVariable(weights[k * count + i]!.tensor, false)),
    }));
    this.dispose();
    this.waiting = made;
  }

  dispose(): void {
    for (const { slots } of [...this.states.values(), ...this.waiting]) disposeAll(slots);
    this.states = new Map();
    this.waiting = [];
  }

  private dropDisposed(): void {
    for (const [variable, { slots }] of this.states) {
      if (!variable.isDisposed) continue;
      disposeAll(slots);
      this.states.delete(variable);
    }
  }

  private handOut(variables: readonly TfVariable[]): void {
    const { waiting } = this;
    const byName = variables.some(({ name }) => waiting.some((other) => other.name === name));
    const found = variables.flatMap((variable, i) => {
      const own = byName ? waiting.find(({ name }) => name === variable.name) : waiting[i];
      return own === undefined ? [] : [{ variable, own }];
    });
    for (const { variable, own } of found) checkShapes(variable, own);
    for (const { variable, own } of found) {
      disposeAll(this.states.get(variable)?.slots ?? []);
      this.states.set(variable, { variable, standIn: standInFor(variable), slots: own.slots });
    }
    const taken = new Set(found.map(({ own }) => own));
    const left = waiting.filter((own) => !taken.has(own));
    // By position what is left is nobody's; by name its variable may come later.
    if (!byName) for (const { slots } of left) disposeAll(slots);
    this.waiting = byName ? left : [];
  }

  private make(variable: TfVariable): VariableState {
    const standIn = standInFor(variable);
    const slots = this.mechanism.slots.definitions.map(({ initial }) => {
      const values = new Float32Array(variable.size).fill(initial(standIn));
      return newVariable(this.engine, this.engine.makeTensor(values, variable.shape, 'float32'));
    });
    const state = { variable, standIn, slots };
    this.states.set(variable, state);
    return state;
  }
}

function newVariable(engine: Engine, initial: TfTensor): TfVariable {
  const variable = engine.makeVariable(initial, false);
  initial.dispose();
  return variable;
}

function disposeAll(slots: readonly TfVariable[]): void {
  for (const slot of slots) slot.dispose();
}

const withoutSuffix = (name: string): string => name.slice(0, Math.max(0, name.lastIndexOf('/')));

function checkShapes({ name, shape }: TfVariable, { slots }: Waiting): void {
  const wrong = slots.find((slot) => String(slot.shape) !== String(shape));
  if (wrong === undefined) return;
  throw new RangeError(
    `the state set for '${name}' has shape [${wrong.shape.join(', ')}], expected [${shape.join(', ')}]`,
  );
}
