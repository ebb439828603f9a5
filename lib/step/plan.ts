import { checkBoolean } from '../checks';
import { formatNumber, native, type Rule } from '../native';
import { isAttached, isFloatArray } from '../tensor/arrays';
import type { DType, FloatArray } from '../tensor/dtype';
import type { GlobalStep } from '../tensor/global-step';
import { checkQuiet, isAnythingInFlight } from '../tensor/in-flight';
import { storedValues } from '../tensor/indexed-slices';
import { endings, spend, type Memory } from '../tensor/memory';
import type { Shape } from '../tensor/shape';
import { factorOf, isTensor, memoryOf, Tensor } from '../tensor/tensor';
import { memoryOfVariable, type Variable } from '../tensor/variable';
import type { Commit } from './commit';
import { Constraints } from './constraints';
import type { NonSlots } from './non-slots';
import { Occupied, type Stretch } from './occupied';
import { checkGradient, checkPairs, readPairs, type Read } from './pairs';
import type { Settings, SettingsByVariable } from './settings';
import type { NewSlots, Slots } from './slots';
import { Column, SlotColumn, StepLayout } from './step-table';

/** What an optimizer brings to its steps. */
export interface Mechanism {
  readonly rule: Rule;
  readonly settingsByVariable: SettingsByVariable;
  readonly slots: Slots;
  readonly sparseStepsAllRows: boolean;
  readonly excludeFromWeightDecay: ((name: string) => boolean) | undefined;
  /** Fills in those hyperparameters that are not options. Must change nothing else. */
  derive(hyper: Float64Array, settings: Settings): void;
  /** Called after all variables of a step have been updated, for each of the settings that took part. */
  finish(hyper: Float64Array, settings: Settings): void;
}

/** Variables that step with the same hyperparameters. */
interface Group {
  readonly settings: Settings;
  readonly decays: boolean;
  /** An earlier group with the same settings, which have been evaluated for that one. */
  readonly like: number;
}

/** The variables of a step in groups. */
export class Groups {
  readonly list: readonly Group[];
  /** The group of each variable. */
  readonly of: readonly number[];
  /** The settings that take part, and the first group of each. */
  readonly settings: readonly { readonly settings: Settings; readonly group: number }[];
  private readonly weightDecayAt: number;

  constructor(
    private readonly mechanism: Mechanism,
    variables: readonly Variable[],
  ) {
    const groups: Group[] = [];
    this.of = variables.map((variable) => {
      const settings = mechanism.settingsByVariable.of(variable);
      const decays = !isExcluded(mechanism, variable);
      const found = groups.findIndex((group) => group.settings === settings && group.decays === decays);
      if (found >= 0) return found;
      return groups.push({ settings, decays, like: groups.findIndex((group) => group.settings === settings) }) - 1;
    });
    this.list = groups;
    this.settings = groups.flatMap(({ settings, like }, group) => (like < 0 ? [{ settings, group }] : []));
    this.weightDecayAt = mechanism.rule.hyper.indexOf('weightDecay');
  }

  /** Asks for the hyperparameters of each group: calls the functions of the user. */
  evaluate(hyper: readonly Float64Array[]): void {
    for (const { settings, group } of this.settings) settings.evaluate(hyper[group]!);
  }

  /** Fills in, once they have been asked for, what is derived from them. Changes nothing else. */
  derive(hyper: readonly Float64Array[]): void {
    const { list, mechanism, weightDecayAt } = this;
    for (const { settings, group } of this.settings) mechanism.derive(hyper[group]!, settings);
    for (let group = 0; group < list.length; group++) {
      const { like } = list[group]!;
      if (like >= 0) hyper[group]!.set(hyper[like]!);
    }
    for (let group = 0; group < list.length; group++) {
      if (!list[group]!.decays) hyper[group]![weightDecayAt] = 0;
    }
  }
}

// As many lists of variables as a program may well alternate between: a GAN has two, and pairs without a gradient make
// another list.
const mostPlans = 8;

/** The plans of an optimizer, found by the variables of a step. They keep no variable alive. */
export class Plans {
  // By the first variable of the list: once it is gone, nobody can ask for the plan.
  private plans = new WeakMap<Variable, Plan[]>();

  constructor(private readonly mechanism: Mechanism) {}

  /** Reads the pairs of a step. @throws what readPairs throws. */
  read(gradsAndVars: unknown): Read {
    return readPairs(gradsAndVars, this.lastWith);
  }

  /** The variables of the last list that started with this one. */
  private readonly lastWith = (first: unknown): readonly unknown[] | undefined =>
    this.plans.get(first as Variable)?.[0]?.listed;

  /**
   * The plan for these variables.
   * @throws what checkPairs throws.
   */
  for(read: Read): Plan {
    const found = this.find(read);
    if (found !== undefined) return found;
    checkPairs(read);
    const plan = new Plan(this.mechanism, read);
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
    if (plans[0]!.isFor(read)) return plans[0];
    const at = plans.findIndex((plan) => plan.isFor(read));
    const plan = plans[at];
    if (plan !== undefined) plans.unshift(...plans.splice(at, 1));
    return plan;
  }
}

/** All that the steps of one list of variables have in common. */
export class Plan {
  /** Variables that have a gradient. */
  readonly variables: readonly Variable[];
  // Beside them, in their order: a step of many variables has no time to ask each.
  readonly dtypes: readonly DType[];
  readonly sizes: readonly number[];
  /** Those of them that have a constraint. */
  readonly constrained: readonly Variable[];
  readonly groups: Groups;
  readonly layout: StepLayout;
  /** The position of each variable in the list of pairs. */
  readonly positions: readonly number[];
  readonly listed: readonly unknown[];
  private readonly given: readonly boolean[];
  private readonly missing: number;
  private readonly idle: Step[] = [];

  constructor(
    readonly mechanism: Mechanism,
    read: Read,
  ) {
    this.listed = read.variables;
    this.missing = read.missing;
    this.given = read.gradients.map((gradient) => gradient !== null);
    this.positions = read.gradients.flatMap((gradient, i) => (gradient === null ? [] : [i]));
    this.variables = this.positions.map((i) => read.variables[i] as Variable);
    const memories = this.variables.map(memoryOfVariable);
    this.dtypes = memories.map(({ dtype }) => dtype);
    this.sizes = memories.map(({ length }) => length);
    this.constrained = this.variables.filter(({ constraint }) => constraint !== null);
    this.groups = new Groups(mechanism, this.variables);
    this.layout = new StepLayout(mechanism.rule, this.groups.list.length, this.variables.length);
  }

  isFor({ variables, gradients, missing }: Read): boolean {
    const { listed, given } = this;
    const { length } = listed;
    if (variables.length !== length || missing !== this.missing) return false;
    for (let i = 0; missing > 0 && i < length; i++) if ((gradients[i] !== null) !== given[i]) return false;
    if (variables === listed) return true;
    for (let i = 0; i < length; i++) if (variables[i] !== listed[i]) return false;
    return true;
  }

  /**
   * A step with these gradients, one for each pair. Everything that can fail has been checked, every function of the user
   * but constraints has been called, and nothing has changed that anybody can see.
   * @throws what schedules throw, and checkGradient, and Error for memory that is gone or that a step off the event loop
   * is using.
   */
  prepare(gradients: readonly unknown[], globalStep: GlobalStep | undefined): Step {
    const step = this.take();
    try {
      step.prepare(gradients, globalStep);
    } catch (error) {
      step.end();
      throw error;
    }
    return step;
  }

  /** A step that is to be prepared. */
  take(): Step {
    return this.idle.pop() ?? new Step(this);
  }

  /** @internal Takes back a step that is over, for its memory. */
  takeBack(step: Step): void {
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
 * so that another can be prepared before it runs. Once it is prepared come `run` or `runAsync`, unless something else
 * does what they do, then `publish` if that went well, and in any case `end`.
 */
export class Step {
  /** Hyperparameters by group: parts of what is laid out. */
  readonly hyper: readonly Float64Array[];
  private readonly table: Float64Array;
  private readonly laidOut: ArrayBuffer;
  private readonly inputs: Float64Array;
  /** The memory of each gradient, from `prepare` until `end`: a step off the event loop keeps it alive. */
  private readonly used: (Memory | null)[] = [];
  private isAnyRecyclable = false;
  /** The shape that the last dense gradient of each variable had: another one of it is the variable's too. */
  private readonly shapes: (Shape | null)[];
  // Small typed arrays that came as gradients last time: where one lies is known until its buffer is detached.
  private readonly heldArrays: (FloatArray | null)[] = [];
  private readonly heldBuffers: (ArrayBufferLike | null)[] = [];
  private rows: (Int32Array | undefined)[] | null = null;
  private newSlots: NewSlots | null = null;
  private hasSlots = false;
  private slotsVersion = 0;
  private occupied: Occupied | null = null;
  private hasCallersMemory = false;
  private arePermanent = false;
  private endingsSeen = -1;
  private constraints: Constraints | null = null;
  private globalStep: GlobalStep | undefined;

  constructor(private readonly plan: Plan) {
    const { mechanism, layout, groups, variables } = plan;
    this.table = layout.newTable(mechanism.sparseStepsAllRows);
    this.laidOut = layout.newLaidOut();
    this.hyper = layout.hyperIn(this.laidOut);
    this.inputs = layout.inputsIn(this.laidOut);
    this.shapes = variables.map(() => null);
    variables.forEach(({ shape }, i) => {
      const row = layout.rowOf(i);
      const [dtype, size] = [plan.dtypes[i]!, plan.sizes[i]!];
      this.table[row + Column.Group] = groups.of[i]!;
      this.table[row + Column.Length] = size;
      this.table[row + Column.RowElements] = shape[0] ? size / shape[0] : 1;
      this.table[row + Column.GradientFormat] = formatNumber[dtype]; // checkGradient lets no other through
      this.table[row + Column.ParameterFormat] = formatNumber[dtype];
    });
  }

  /** As Plan.prepare. */
  prepare(gradients: readonly unknown[], globalStep: GlobalStep | undefined): void {
    this.prepareVariables(globalStep);
    this.locateGradients(gradients);
    this.prepareConstraints();
  }

  /**
   * The same for gradients that a program computes; constraints too, where it has them.
   * @returns the table of the step, without gradients.
   */
  prepareForProgram(globalStep: GlobalStep | undefined, hasConstraints: boolean): Float64Array {
    this.prepareVariables(globalStep);
    if (!hasConstraints) this.prepareConstraints();
    this.plan.layout.copyHyper(this.hyper, this.table);
    return this.table;
  }

  private prepareConstraints(): void {
    const { constrained } = this.plan;
    if (constrained.length > 0) this.constraints = new Constraints(constrained, this.changed());
  }

  private prepareVariables(globalStep: GlobalStep | undefined): void {
    const { plan } = this;
    this.globalStep = globalStep;
    const { mechanism, groups } = plan;
    // First everything that calls the user's functions: they may do anything, this very optimizer's next step included.
    groups.evaluate(this.hyper);
    if (this.slotsVersion !== mechanism.slots.version) this.hasSlots = false;
    this.newSlots = this.hasSlots ? null : mechanism.slots.evaluate(plan.variables);
    groups.derive(this.hyper);
    // From here until native code has returned nobody else runs: addresses stay what they are.
    if (isAnythingInFlight()) this.checkQuiet();
    this.newSlots?.allocate();
    this.locateVariables();
  }

  /** @throws Error, with nothing changed, when memory is out; RangeError for an index that another thread has changed. */
  run(): void {
    if (this.rows === null) {
      native.runLaidOutStep(this.laidOut);
    } else {
      this.writeTable(this.rows);
      native.runStep(this.table, this.rows);
    }
  }

  /**
   * Runs and publishes in one native call: a step of several threads.
   * @throws what `run` throws, and Error for a variable with a constraint, which is a function.
   */
  runAtOnce(commit: Commit, nonSlots: NonSlots | null): void {
    const { rows, plan } = this;
    const { mechanism, groups, constrained } = plan;
    if (constrained.length > 0) {
      throw new Error(`'${constrained[0]!.name}' has a constraint: steps of several threads cannot call functions`);
    }
    const finish = () => {
      for (const { settings, group } of groups.settings) mechanism.finish(this.hyper[group]!, settings);
    };
    if (nonSlots === null) finish();
    else nonSlots.stage(commit, finish);
    if (this.globalStep !== undefined) commit.increment(this.globalStep);
    if (rows !== null) this.writeTable(rows);
    commit.run((table) =>
      rows === null ? native.runLaidOutStep(this.laidOut, table) : native.runStep(this.table, rows, table),
    );
    this.newSlots?.publish();
    this.spendGradients();
  }

  /**
   * The same off the event loop. Until the promise is settled the memory of variables, slots and gradients must neither move
   * nor go, so all of it can be lent (`Loans`).
   */
  runAsync(): Promise<void> {
    if (this.rows === null) return native.runLaidOutStepAsync(this, this.laidOut);
    this.writeTable(this.rows);
    return native.runStepAsync(this, this.table, this.rows);
  }

  /** Writes what has been written into the step that is laid out into the table as well. */
  private writeTable(rows: readonly (Int32Array | undefined)[]): void {
    const { layout } = this.plan;
    layout.copyHyper(this.hyper, this.table);
    layout.copyInputs(this.inputs, rows, this.table);
  }

  /**
   * Makes what the step has changed beside variables seen: slots it made, what constraints make of the values, powers, the
   * global step. The gradients have been used: those that computeGradients made may go.
   * @throws what constraints throw, with everything put back.
   */
  publish(): void {
    const { mechanism, groups } = this.plan;
    this.newSlots?.publish();
    this.constraints?.apply(() => this.withdrawSlots());
    for (const { settings, group } of groups.settings) mechanism.finish(this.hyper[group]!, settings);
    this.globalStep?.increment();
    this.spendGradients();
  }

  private spendGradients(): void {
    if (!this.isAnyRecyclable) return;
    for (const memory of this.used) if (memory !== null) spend(memory);
  }

  private withdrawSlots(): void {
    this.newSlots?.withdraw();
    this.hasSlots = false;
    this.endingsSeen = -1;
  }

  /** What the step may change and would have to put back: slots that it makes go as a whole. */
  private changed(): Variable[] {
    const { variables, mechanism } = this.plan;
    return variables.flatMap((variable) => [variable, ...(mechanism.slots.of(variable) ?? [])]);
  }

  /** @throws Error where a step off the event loop uses the optimizer's state or a variable, or waits for it. */
  private checkQuiet(): void {
    const { mechanism, variables } = this.plan;
    checkQuiet(mechanism, () => 'this optimizer');
    for (const variable of variables) variable.checkQuiet();
  }

  /** Lets go of the gradients, and gives the step back to its plan. */
  end(): void {
    this.used.fill(null);
    this.isAnyRecyclable = false;
    this.rows = null;
    if (this.newSlots?.isPublished === false) this.hasSlots = false;
    this.newSlots = null;
    this.constraints = null;
    this.globalStep = undefined;
    this.plan.takeBack(this);
  }

  private locateVariables(): void {
    const { version } = this.plan.mechanism.slots;
    // Permanent memory stays until something is disposed of: nothing to look at, however many variables there are.
    if (this.arePermanent && this.endingsSeen === endings && this.hasSlots && this.slotsVersion === version) return;
    if (this.noteParameters() || !this.hasSlots || this.slotsVersion !== version) this.noteSlots();
    this.hasSlots = true;
    this.slotsVersion = version;
    this.endingsSeen = endings;
  }

  /** Notes where the variables lie. Returns whether one is not where it was. */
  private noteParameters(): boolean {
    const { table, plan } = this;
    const { layout, variables } = plan;
    let isMoved = false;
    let arePermanent = true;
    this.arePermanent = false; // should one of them be gone
    for (let i = 0; i < variables.length; i++) {
      const row = layout.rowOf(i);
      const memory = memoryOfVariable(variables[i]!);
      const address = memory.locate();
      arePermanent &&= memory.isPermanent;
      if (table[row + Column.Parameter] === address) continue;
      table[row + Column.Parameter] = address;
      isMoved = true;
    }
    this.arePermanent = arePermanent;
    return isMoved;
  }

  /** Notes where the slots lie, and what a gradient may not overlap. */
  private noteSlots(): void {
    const { table, plan } = this;
    const { layout, variables } = plan;
    const stretches: Stretch[] = [];
    this.hasCallersMemory = false;
    this.hasSlots = false; // should one of the slots be gone
    variables.forEach((variable, i) => {
      const row = layout.rowOf(i);
      const memory = memoryOfVariable(variable);
      const { name } = variable;
      this.hasCallersMemory ||= memory.isCallers;
      stretches.push({ memory, address: table[row + Column.Parameter]!, what: `variable '${name}'`, variable: i });
      this.slotsOf(variable).forEach((slot, k) => {
        const slotMemory = memoryOfVariable(slot);
        if (slotMemory.length !== memory.length)
          throw new TypeError(`'${name}' has properties that are not a variable's own`);
        const address = slotMemory.locate();
        const column = layout.slotOf(i, k);
        table[column + SlotColumn.Format] = formatNumber[slotMemory.dtype];
        table[column + SlotColumn.Address] = address;
        stretches.push({ memory: slotMemory, address, what: `slot '${slot.name}'`, variable: -1 });
      });
      this.shapes[i] = null; // gradients are to be looked at anew
      this.heldArrays[i] = null;
    });
    this.occupied = new Occupied(stretches);
    native.layOutStep(this.laidOut, table);
  }

  private slotsOf(variable: Variable): readonly Variable[] {
    const slots = this.plan.mechanism.slots.of(variable) ?? this.newSlots?.of(variable);
    if (slots === undefined) throw new Error(`the slots of '${variable.name}' went while a step was being prepared`);
    return slots;
  }

  private locateGradients(gradients: readonly unknown[]): void {
    const { plan, heldArrays, heldBuffers } = this;
    const { variables, positions } = plan;
    for (let i = 0; i < variables.length; i++) {
      const given = gradients[positions[i]!];
      if (given === heldArrays[i]) {
        const buffer = heldBuffers[i]!;
        if (buffer === null || isAttached(buffer)) continue;
      }
      heldArrays[i] = null;
      this.locateGradient(given, i);
    }
  }

  private locateGradient(given: unknown, i: number): void {
    const { plan, inputs } = this;
    const isAlike =
      isTensor(given) &&
      given.shape === this.shapes[i] &&
      given.dtype === plan.dtypes[i] &&
      given.size === plan.sizes[i];
    const variable = plan.variables[i]!;
    const gradient = isAlike ? (given as Tensor) : checkGradient(given, variable);
    const values = storedValues(gradient);
    const memory = memoryOf(values);
    const isDense = gradient instanceof Tensor;
    if (memory.dtype !== plan.dtypes[i] || (isDense && memory.length !== plan.sizes[i])) {
      throw new TypeError(`gradient of '${variable.name}' has properties that are not a tensor's own`);
    }
    const address = memory.locate();
    if (!isAlike || inputs[2 * i + 1] !== address) {
      this.shapes[i] = null; // should it be refused
      if (!memory.isPooled || this.hasCallersMemory) {
        this.occupied!.checkGradient(memory, address, isDense, i, variable.name);
      }
      this.shapes[i] = isDense ? gradient.shape : null;
    }
    inputs[2 * i] = factorOf(values);
    inputs[2 * i + 1] = address;
    this.used[i] = memory;
    this.isAnyRecyclable ||= memory.isRecyclable;
    if (!isDense) this.noteRows(gradient.indices, memory.length, i);
    else if (!isAlike && memory.isCallers && isFloatArray(given)) this.hold(given, memory, i);
  }

  private noteRows(indices: Int32Array, elements: number, i: number): void {
    (this.rows ??= new Array<undefined>(this.plan.variables.length).fill(undefined))[i] = indices;
    this.table[this.plan.layout.rowOf(i) + Column.GradientLength] = elements;
  }

  private hold(array: FloatArray, memory: Memory, i: number): void {
    const { watchable, length } = memory;
    if (length > longestHeld || watchable === 'changing') return;
    this.heldArrays[i] = array;
    this.heldBuffers[i] = watchable === 'permanent' ? null : watchable;
  }
}
