import { formatNumber, native } from '../native';
import { Groups, type Mechanism } from '../step/plan';
import { Column, SlotColumn, StepLayout } from '../step/step-table';
import { factorFor, globalFactorFor, NormTable, type ClippingOptions } from './clipping';
import type { TfTensor } from './engine';
import type { BackendMemory } from './memory/memory';
import type { VariableState } from './states';

// One step over the memory of a backend: everything is claimed and allocated first, then addresses are looked up, and
// one native call does the rest.

/** A variable and its gradient, both checked. */
export interface Update {
  readonly state: VariableState;
  readonly gradient: TfTensor;
}

/** What steps over the same variables have in common. */
class Layout {
  readonly groups: Groups;
  readonly hyper: readonly Float64Array[];
  /** Factor and address of each gradient. */
  readonly inputs: Float64Array;
  private readonly step: StepLayout;
  private readonly table: Float64Array;
  private readonly laidOut: ArrayBuffer;
  // Where variables and slots lie after the start of the memory: known to be so while the start is.
  private readonly places: Float64Array;
  private base = NaN;

  constructor(
    mechanism: Mechanism,
    readonly states: readonly VariableState[],
  ) {
    const { rule } = mechanism;
    const standIns = states.map(({ standIn }) => standIn);
    this.groups = new Groups(mechanism, standIns);
    this.step = new StepLayout(rule, this.groups.list.length, states.length);
    this.laidOut = this.step.newLaidOut();
    this.hyper = this.step.hyperIn(this.laidOut);
    this.inputs = this.step.inputsIn(this.laidOut);
    this.places = new Float64Array(states.length * (1 + rule.slots.length));
    this.table = this.step.newTable(false);
    states.forEach(({ variable }, i) => {
      const row = this.step.rowOf(i);
      this.table[row + Column.Group] = this.groups.of[i]!;
      this.table[row + Column.Length] = variable.size;
      this.table[row + Column.RowElements] = 1;
      this.table[row + Column.GradientFormat] = formatNumber.float32;
      this.table[row + Column.ParameterFormat] = formatNumber.float32;
      rule.slots.forEach((_, k) => {
        this.table[this.step.slotOf(i, k) + SlotColumn.Format] = formatNumber.float32;
      });
    });
  }

  isFor(updates: readonly Update[]): boolean {
    const { states } = this;
    if (states.length !== updates.length) return false;
    for (let i = 0; i < states.length; i++) if (states[i] !== updates[i]!.state) return false;
    return true;
  }

  /** Claims all that is written. */
  claim(memory: BackendMemory): void {
    const { states } = this;
    let at = 0;
    for (let i = 0; i < states.length; i++) {
      const { variable, slots } = states[i]!;
      this.note(at++, memory.claim(variable));
      for (let k = 0; k < slots.length; k++) this.note(at++, memory.claim(slots[k]!));
    }
  }

  private note(at: number, place: number): void {
    if (this.places[at] === place) return;
    this.places[at] = place;
    this.base = NaN;
  }

  /** Steps, where the memory of what has been claimed starts at `base`. */
  run(base: number): void {
    if (this.base !== base) this.layOut(base);
    native.runLaidOutStep(this.laidOut);
  }

  private layOut(base: number): void {
    const { states, step, table, places } = this;
    let at = 0;
    states.forEach(({ slots }, i) => {
      table[step.rowOf(i) + Column.Parameter] = base + places[at++]!;
      slots.forEach((_, k) => {
        table[step.slotOf(i, k) + SlotColumn.Address] = base + places[at++]!;
      });
    });
    native.layOutStep(this.laidOut, table);
    this.base = base;
  }
}

// A GAN has two lists of variables, and freezing layers makes some more.
const mostLayouts = 8;

/** The steps of one optimizer. */
export class Steps {
  private layouts: Layout[] = [];
  private readonly norms = new NormTable();

  constructor(
    private readonly mechanism: Mechanism,
    private readonly clipping: ClippingOptions,
  ) {}

  /** Forgets all variables. */
  clear(): void {
    this.layouts = [];
  }

  run(memory: BackendMemory, given: readonly Update[]): void {
    const updates = given.every(hasElements) ? given : given.filter(hasElements);
    if (updates.length === 0) return;
    const layout = this.layoutFor(updates);
    const { groups, hyper } = layout;
    groups.evaluate(hyper); // calls functions of the user, so before anything else
    groups.derive(hyper);
    layout.claim(memory);
    for (let i = 0; i < updates.length; i++) memory.reach(updates[i]!.gradient);
    const base = memory.begin();
    try {
      const copies = this.locate(memory, updates, layout);
      this.clip(updates, layout);
      layout.run(base);
      copies.length = 0; // referenced until here
      for (let i = 0; i < updates.length; i++) memory.changed(updates[i]!.state.variable);
    } finally {
      memory.end();
    }
    for (const { settings, group } of groups.settings) this.mechanism.finish(hyper[group]!, settings);
  }

  private layoutFor(updates: readonly Update[]): Layout {
    const { layouts } = this;
    if (layouts[0]?.isFor(updates) === true) return layouts[0];
    const at = layouts.findIndex((layout) => layout.isFor(updates));
    const states = updates.map(({ state }) => state);
    const layout = at < 0 ? new Layout(this.mechanism, states) : layouts.splice(at, 1)[0]!;
    this.layouts = [layout, ...layouts].slice(0, mostLayouts);
    return layout;
  }

  /** Fills in where the gradients lie. Returns copies that had to be made, for somebody to reference. */
  private locate(memory: BackendMemory, updates: readonly Update[], { inputs }: Layout): Float32Array[] {
    const copies: Float32Array[] = [];
    const { clipValue } = this.clipping;
    for (let i = 0; i < updates.length; i++) {
      const { gradient } = updates[i]!;
      let address = clipValue === undefined ? memory.addressToRead(gradient) : undefined;
      if (address === undefined) {
        // What is a variable may be one of this step, and is read as it was before the step.
        const copy = clipValue === undefined ? memory.arrayOf(gradient).slice() : clipped(memory, gradient, clipValue);
        copies.push(copy);
        address = native.addressOf(copy);
      }
      inputs[2 * i] = 1;
      inputs[2 * i + 1] = address;
    }
    return copies;
  }

  private clip(updates: readonly Update[], { inputs }: Layout): void {
    const { clipNorm, globalClipNorm } = this.clipping;
    const { norms } = this;
    if (clipNorm === undefined && globalClipNorm === undefined) return;
    norms.clear();
    for (let i = 0; i < updates.length; i++) {
      norms.add(inputs[2 * i + 1]!, updates[i]!.gradient.size);
      if (clipNorm === undefined) continue;
      inputs[2 * i] = factorFor(norms.norm, clipNorm);
      norms.clear();
    }
    if (globalClipNorm === undefined) return;
    const factor = globalFactorFor(norms.norm, globalClipNorm);
    for (let i = 0; i < updates.length; i++) inputs[2 * i] = factor;
  }
}

const hasElements = ({ gradient }: Update): boolean => gradient.size > 0;

function clipped(memory: BackendMemory, gradient: TfTensor, clipValue: number): Float32Array {
  const copy = new Float32Array(gradient.size);
  native.clipByValue(copy, memory.arrayOf(gradient), -clipValue, clipValue);
  return copy;
}
