import { internals, Tensor, type FloatArray, type Variable } from 'gradstep';
import { native } from '../../native';
import type { Memory as InMemory } from '../../tensor/memory';

const { Memory, sharedArray, timesFactor } = internals;
type Lent = InMemory<Variable['dtype']>;

const lineBytes = 64;
const elementBytes = { float32: 4, float64: 8 };

/** Where the gradient of a variable lies among others. */
interface Slot {
  /** The variable's number in its list. */
  readonly variable: number;
  readonly offset: number;
}

/** Which lot a variable is in, and where. */
interface Place {
  readonly lot: number;
  readonly slot: number;
}

/** Gradients of one dtype that are exchanged in one call. */
interface Lot {
  readonly dtype: Variable['dtype'];
  length: number;
  readonly slots: Slot[];
}

/**
 * Which dense gradients go together, in the order in which the way back knows them: it is the same on all ranks. The memory
 * stays from step to step, as long as nobody holds on to gradients that lie there.
 */
export class FusionPlan {
  private readonly lots: readonly Lot[];
  private readonly places: readonly (Place | undefined)[];
  private sets: FusedGradients[] = [];

  /** @param order the numbers of the variables that take part, in that order. */
  constructor(
    private readonly variables: readonly Variable[],
    readonly order: readonly number[],
    fusionBytes: number,
  ) {
    this.lots = lotsOf(variables, order, fusionBytes);
    const places = new Array<Place | undefined>(variables.length).fill(undefined);
    this.lots.forEach(({ slots }, lot) => slots.forEach(({ variable }, slot) => (places[variable] = { lot, slot })));
    this.places = places;
  }

  get lotCount(): number {
    return this.lots.length;
  }

  has(variable: number): boolean {
    return this.places[variable] !== undefined;
  }

  /** Memory for a step, of which nobody reads what it had before. */
  take(): FusedGradients {
    let set = this.sets.find((one) => one.isFree);
    if (set === undefined) {
      set = new FusedGradients(this.variables, this.lots, this.places);
      this.sets.push(set);
      if (this.sets.length > mostSets) this.sets.shift(); // whoever has its gradients holds it
    }
    set.begin();
    return set;
  }
}

// Asynchronous steps may have those of the last step on loan.
const mostSets = 3;

function lotsOf(variables: readonly Variable[], order: readonly number[], fusionBytes: number): Lot[] {
  const lots: Lot[] = [];
  const open = new Map<Variable['dtype'], Lot>();
  for (const variable of order) {
    const { dtype, size } = variables[variable]!;
    const grain = lineBytes / elementBytes[dtype];
    const length = Math.ceil(size / grain) * grain;
    let lot = open.get(dtype);
    if (lot === undefined || (lot.length + length) * elementBytes[dtype] > fusionBytes) {
      lot = { dtype, length: 0, slots: [] };
      open.set(dtype, lot);
      lots.push(lot);
    }
    lot.slots.push({ variable, offset: lot.length });
    lot.length += length;
  }
  // They are begun one after the other, so those that are complete first come first.
  const position = new Map(order.map((variable, at) => [variable, at]));
  const last = (lot: Lot): number => position.get(lot.slots.at(-1)!.variable)!;
  return lots.sort((a, b) => last(a) - last(b));
}

/** The gradients of one step in their lots, and what of them is there already. */
export class FusedGradients {
  /** What is exchanged, by lots. */
  readonly arrays: readonly FloatArray[];
  private readonly parts: readonly (readonly FloatArray[])[];
  private readonly memories: readonly (readonly Lent[])[];
  /** What has been given away of them since `begin`. */
  private given: Lent[] = [];
  private readonly isThere: boolean[];
  private readonly missing: number[];

  constructor(
    private readonly variables: readonly Variable[],
    private readonly lots: readonly Lot[],
    private readonly places: readonly (Place | undefined)[],
  ) {
    this.arrays = lots.map(({ dtype, length }) => sharedArray(dtype, length));
    this.parts = lots.map(({ slots }, i) => {
      return slots.map(({ variable, offset }) => this.arrays[i]!.subarray(offset, offset + variables[variable]!.size));
    });
    this.memories = this.parts.map((arrays, i) => arrays.map((array) => Memory.lent(array, lots[i]!.dtype)));
    this.isThere = variables.map(() => false);
    this.missing = lots.map(() => 0);
  }

  /** Whether nobody reads the gradients of the step that has last used it. */
  get isFree(): boolean {
    return this.given.every(({ isFree }) => isFree);
  }

  begin(): void {
    this.given = [];
    this.isThere.fill(false);
    this.lots.forEach(({ slots }, i) => (this.missing[i] = slots.length));
  }

  /** Whether all gradients of a lot are there. */
  isComplete(lot: number): boolean {
    return this.missing[lot] === 0;
  }

  /** Puts a gradient into its place, times its factor; null adds nothing to a sum. */
  put(variable: number, gradient: Tensor | null): void {
    const place = this.places[variable];
    if (place === undefined || this.isThere[variable]!) return;
    const out = this.parts[place.lot]![place.slot]!;
    if (gradient === null)
      out.fill(-0); // with 0 in its place a sum of -0 would become 0
    else native.scale(out, gradient.raw, gradient.factor);
    this.isThere[variable] = true;
    this.missing[place.lot]!--;
  }

  /** Puts what is missing of a lot, as null. */
  complete(lot: number): void {
    for (const { variable } of this.lots[lot]!.slots) this.put(variable, null);
  }

  /** The gradient of a variable as it lies there, times a factor. */
  gradientOf(variable: number, factor: number): Tensor {
    const { lot, slot } = this.places[variable]!;
    const memory = this.memories[lot]![slot]!.again();
    this.given.push(memory);
    const whole = new Tensor(memory, this.variables[variable]!.shape);
    const result = timesFactor(whole, factor);
    whole.dispose();
    return result;
  }
}
