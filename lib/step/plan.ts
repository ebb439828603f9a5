import { checkBoolean } from '../checks';
import { native, type Rule } from '../native';
import { isFloatArray } from '../tensor/arrays';
import type { FloatArray } from '../tensor/dtype';
import { IndexedSlices, storedValues } from '../tensor/indexed-slices';
import { spend, type Memory } from '../tensor/memory';
import type { Variable } from '../tensor/variable';
import { Occupied, type Stretch } from './occupied';
import { checkGradient, checkPairs, type Read } from './pairs';
import type { Settings, SettingsByVariable } from './settings';
import type { NewSlots, Slots } from './slots';
import { Column, TableLayout } from './step-table';

/** What an optimizer brings to its steps. */
export interface Mechanism {
  readonly rule: Rule;
  readonly settingsByVariable: SettingsByVariable;
  readonly slots: Slots;
  readonly sparseStepsAllRows: boolean;
  readonly excludeFromWeightDecay: ((name: string) => boolean) | undefined;
  /** Fills in those hyperparameters that are not options. Must change nothing else. */
  derive(hyper: Float64Array, settings: Settings): void;
}

/** Variables that step with the same hyperparameters. */
interface Group {
  readonly settings: Settings;
  readonly decays: boolean;
  /** An earlier group with the same settings, which have been evaluated for that one. */
  readonly like: number;
}

// As many lists of variables as a program may well alternate between: a GAN has two, and pairs without a gradient make
// another list.
const mostPlans = 8;

/** The plans of an optimizer, found by the variables of a step. They keep no variable alive. */
export class Plans {
  // By the first variable of the list: once it is gone, nobody can ask for the plan.
  private plans = new WeakMap<Variable, Plan[]>();
  private readonly weightDecayAt: number;

  constructor(private readonly mechanism: Mechanism) {
    this.weightDecayAt = mechanism.rule.hyper.indexOf('weightDecay');
  }

  /**
   * The plan for these variables.
   * @throws what checkPairs throws.
   */
  for(read: Read): Plan {
    const found = this.find(read);
    if (found !== undefined) return found;
    checkPairs(read);
    const plan = new Plan(this.mechanism, this.weightDecayAt, read);
    const first = read.variables[0] as Variable;
    const others = this.plans.get(first) ?? [];
    this.plans.set(first, [plan, ...others].slice(0, mostPlans));
    return plan;
  }

  /** Forgets all: where slots are has changed. */
  clear(): void {
    this.plans = new WeakMap();
  }

  private find(read: Read): Plan | undefined {
    const plans = this.plans.get(read.variables[0] as Variable);
    if (plans === undefined) return undefined;
    const at = plans.findIndex((plan) => plan.isFor(read));
    const plan = plans[at];
    if (at > 0) plans.unshift(...plans.splice(at, 1));
    return plan;
  }
}

/** All that the steps of one list of variables have in common. */
export class Plan {
  /** The settings that take part, and the first group of each. */
  readonly settings: readonly { readonly settings: Settings; readonly group: number }[];
  /** Variables that have a gradient. */
  readonly variables: readonly Variable[];
  /** Those of them that have a constraint. */
  readonly constrained: readonly Variable[];
  readonly groups: readonly Group[];
  readonly groupOf: readonly number[];
  readonly layout: TableLayout;
  /** The position of each variable in the list of pairs. */
  readonly positions: readonly number[];
  private readonly listed: readonly unknown[];
  private readonly given: readonly boolean[];
  private readonly idle: Step[] = [];

  constructor(
    readonly mechanism: Mechanism,
    readonly weightDecayAt: number,
    read: Read,
  ) {
    this.listed = read.variables;
    this.given = read.gradients.map((gradient) => gradient !== null);
    this.positions = read.gradients.flatMap((gradient, i) => (gradient === null ? [] : [i]));
    this.variables = this.positions.map((i) => read.variables[i] as Variable);
    this.constrained = this.variables.filter(({ constraint }) => constraint !== null);
    const groups: Group[] = [];
    this.groupOf = this.variables.map((variable) => {
      const settings = mechanism.settingsByVariable.of(variable);
      const decays = !isExcluded(mechanism, variable);
      const found = groups.findIndex((group) => group.settings === settings && group.decays === decays);
      if (found >= 0) return found;
      return groups.push({ settings, decays, like: groups.findIndex((group) => group.settings === settings) }) - 1;
    });
    this.groups = groups;
    this.settings = groups.flatMap(({ settings, like }, group) => (like < 0 ? [{ settings, group }] : []));
    this.layout = new TableLayout(mechanism.rule, groups.length, this.variables.length);
  }

  isFor({ variables, gradients }: Read): boolean {
    const { listed, given } = this;
    const { length } = listed;
    if (variables.length !== length) return false;
    for (let i = 0; i < length; i++) {
      if (variables[i] !== listed[i] || (gradients[i] !== null) !== given[i]) return false;
    }
    return true;
  }

  /**
   * A step with these gradients, one for each pair. Everything that can fail has been checked, every function of the user
   * has been called, and nothing has changed that anybody can see.
   * @throws what schedules throw, and checkGradient, and Error for memory that is gone.
   */
  prepare(gradients: readonly unknown[]): Step {
    const step = this.idle.pop() ?? new Step(this);
    try {
      step.prepare(gradients);
    } catch (error) {
      this.takeBack(step);
      throw error;
    }
    return step;
  }

  /** Takes back a step that is over, for its memory. */
  takeBack(step: Step): void {
    step.end();
    this.idle.push(step);
  }
}

function isExcluded({ excludeFromWeightDecay }: Mechanism, { name }: Variable): boolean {
  if (excludeFromWeightDecay === undefined) return false;
  const excluded: unknown = excludeFromWeightDecay(name);
  checkBoolean(`excludeFromWeightDecay('${name}')`, excluded);
  return excluded;
}

// Longer ones are not held on to: beside such a step the time to look an array up does not count.
const longestHeld = 4096;

/**
 * One step, ready to run: it has its own copy of the hyperparameters, the gradients' factors and of where everything is,
 * so that another can be prepared before it runs.
 */
export class Step {
  /** Hyperparameters by group: parts of the table. */
  readonly hyper: readonly Float64Array[];
  private readonly table: Float64Array;
  /** The memory of each gradient, on lease from `prepare` until `end`. */
  private readonly leased: Memory[] = [];
  /** Typed arrays that came as gradients last time, with their memory. */
  private readonly held: ({ readonly array: FloatArray; readonly memory: Memory } | undefined)[] = [];
  private rows: (Int32Array | undefined)[] | null = null;
  private newSlots: NewSlots | null = null;
  private hasSlots = false;
  private slotsVersion = 0;
  private occupied: Occupied | null = null;
  private hasCallersMemory = false;

  constructor(private readonly plan: Plan) {
    const { mechanism, layout, groups, groupOf, variables } = plan;
    this.table = layout.newTable(mechanism.sparseStepsAllRows);
    this.hyper = groups.map((_, group) => layout.hyperOf(this.table, group));
    variables.forEach(({ dtype, size, shape }, i) => {
      const row = layout.rowOf(i);
      this.table[row + Column.Group] = groupOf[i]!;
      this.table[row + Column.IsFloat64] = dtype === 'float64' ? 1 : 0;
      this.table[row + Column.Length] = size;
      this.table[row + Column.RowElements] = shape[0] ? size / shape[0] : 1;
    });
  }

  /** As Plan.prepare. */
  prepare(gradients: readonly unknown[]): void {
    const { plan } = this;
    const { mechanism, settings, groups, weightDecayAt } = plan;
    // First everything that calls the user's functions: they may do anything, this very optimizer's next step included.
    for (const { settings: own, group } of settings) own.evaluate(this.hyper[group]!);
    if (this.slotsVersion !== mechanism.slots.version) this.hasSlots = false;
    this.newSlots = this.hasSlots ? null : mechanism.slots.evaluate(plan.variables);
    for (const { settings: own, group } of settings) mechanism.derive(this.hyper[group]!, own);
    for (let group = 0; group < groups.length; group++) {
      const { like } = groups[group]!;
      if (like >= 0) this.hyper[group]!.set(this.hyper[like]!);
    }
    for (let group = 0; group < groups.length; group++) {
      if (!groups[group]!.decays) this.hyper[group]![weightDecayAt] = 0;
    }
    // From here until native code has returned nobody else runs: addresses stay what they are.
    this.newSlots?.allocate();
    this.locateVariables();
    this.locateGradients(gradients);
  }

  /** @throws Error, with nothing changed, when memory is out; RangeError for an index that another thread has changed. */
  run(): void {
    if (this.rows === null) native.runStep(this.table);
    else native.runStep(this.table, this.rows);
  }

  /** Makes what the step has changed beside variables seen: the slots it made. */
  publishSlots(): void {
    if (this.newSlots === null) return;
    this.newSlots.publish();
  }

  /** Takes them away again. */
  withdrawSlots(): void {
    this.newSlots?.withdraw();
    this.hasSlots = false;
    this.occupied = null;
  }

  /** The gradients have been used: those that computeGradients made may go. */
  spendGradients(): void {
    const { leased } = this;
    for (let i = 0; i < leased.length; i++) spend(leased[i]!);
  }

  /** Ends the leases. */
  end(): void {
    const { leased } = this;
    for (let i = 0; i < leased.length; i++) leased[i]!.endLease();
    leased.length = 0;
    this.rows = null;
    if (this.newSlots?.isPublished === false) this.hasSlots = false;
    this.newSlots = null;
  }

  private locateVariables(): void {
    const { table, plan } = this;
    const { layout, variables } = plan;
    const { version } = plan.mechanism.slots;
    let isMoved = this.occupied === null || this.slotsVersion !== version;
    for (let i = 0; i < variables.length; i++) {
      const row = layout.rowOf(i);
      const address = variables[i]!.memory.locate();
      if (table[row + Column.Parameter] === address) continue;
      table[row + Column.Parameter] = address;
      isMoved = true;
    }
    if (!isMoved && this.hasSlots) return;
    const stretches: Stretch[] = [];
    this.hasCallersMemory = false;
    variables.forEach((variable, i) => {
      const row = layout.rowOf(i);
      const { memory, name } = variable;
      this.hasCallersMemory ||= memory.isCallers;
      stretches.push({ memory, address: table[row + Column.Parameter]!, what: `variable '${name}'`, variable: i });
      this.slotsOf(variable).forEach((slot, k) => {
        const address = slot.memory.locate();
        table[row + Column.Slots + k] = address;
        stretches.push({ memory: slot.memory, address, what: `slot '${slot.name}'`, variable: -1 });
      });
      table[row + Column.Gradient] = NaN; // to be looked at anew
    });
    this.occupied = new Occupied(stretches);
    this.hasSlots = true;
    this.slotsVersion = version;
  }

  private slotsOf(variable: Variable): readonly Variable[] {
    const slots = this.plan.mechanism.slots.of(variable) ?? this.newSlots?.of(variable);
    if (slots === undefined) throw new Error(`the slots of '${variable.name}' went while a step was being prepared`);
    return slots;
  }

  private locateGradients(gradients: readonly unknown[]): void {
    const { table, plan, leased, held } = this;
    const { layout, variables, positions } = plan;
    for (let i = 0; i < variables.length; i++) {
      const given = gradients[positions[i]!];
      const row = layout.rowOf(i);
      let memory: Memory;
      let factor = 1;
      let isDense = true;
      const holding = held[i];
      if (holding !== undefined && holding.array === given) {
        memory = holding.memory;
      } else {
        const variable = variables[i]!;
        const gradient = checkGradient(given, variable);
        const values = storedValues(gradient);
        ({ memory, factor } = values);
        if (gradient instanceof IndexedSlices) {
          isDense = false;
          (this.rows ??= new Array<undefined>(variables.length).fill(undefined))[i] = gradient.indices;
        }
        held[i] = isFloatArray(given) && memory.length <= longestHeld ? { array: given, memory } : undefined;
      }
      const address = memory.locate();
      if (
        table[row + Column.Gradient] !== address ||
        table[row + Column.GradientLength] !== memory.length ||
        !isDense
      ) {
        if (!memory.isPooled || this.hasCallersMemory) {
          this.occupied!.checkGradient(memory, address, isDense, i, variables[i]!.name);
        }
        table[row + Column.Gradient] = address;
        table[row + Column.GradientLength] = memory.length;
      }
      table[row + Column.Factor] = factor;
      memory.lease();
      leased.push(memory);
    }
  }
}
