import { AggregationMethod, checkAggregationMethod } from '../autodiff/aggregate';
import { differentiate, toGradY } from '../autodiff/gradients';
import { checkBoolean, checkFunction, checkOptions, shown } from '../checks';
import type { FloatArray } from '../dtype';
import { GlobalStep } from '../global-step';
import { GradientsAndVariables, type GradientAndVariable } from '../gradients-and-variables';
import { native, type Plan, type Rule } from '../native';
import { Tensor } from '../tensor';
import { sharedArray, Variable } from '../variable';
import { withConstraints } from './constraints';
import { checkPairs, namesOf, type Update } from './pairs';
import { markOurs, markSpent, retireSpent } from './spent';

export interface OptimizerOptions {
  /** Accepted for TensorFlow's sake; steps of one thread never race. Default: false. */
  useLocking?: boolean;
  /** Names the slots. Default: the class's name without `Optimizer`. */
  name?: string;
}

export interface ComputeGradientsOptions {
  /** What to differentiate by. Default: the trainable variables that the loss reads. */
  varList?: readonly Variable[];
  /** GATE_NONE, GATE_OP or GATE_GRAPH: when gradients may be used. All are computed before any is returned, which
   * satisfies each of them. Default: GATE_OP. */
  gateGradients?: 0 | 1 | 2;
  /** How gradient terms of what is used more than once are added. Default: ADD_N. */
  aggregationMethod?: AggregationMethod;
  /** Accepted for TensorFlow's sake: there is one device. Default: false. */
  colocateGradientsWithOps?: boolean;
  /** The gradient of the loss, of its shape. Default: ones. */
  gradLoss?: Tensor | FloatArray;
}

export interface ApplyGradientsOptions {
  /** Incremented after everything else. */
  globalStep?: GlobalStep;
  /** Accepted for TensorFlow's sake. */
  name?: string;
}

export type MinimizeOptions = ComputeGradientsOptions & ApplyGradientsOptions;

/** Variables that step together: their hyperparameters, and where their memory is. */
interface Group<Options> {
  readonly options: Options;
  /** Positions in the step's list of updates. */
  readonly members: number[];
  /** The rule's hyperparameters, then a factor for each member's gradient; shared memory that the plan reads. */
  numbers: FloatArray;
  plan: Plan | null;
}

/**
 * The base of all optimizers: every mechanism is here, a subclass has its options, its hyperparameters and its rule.
 *
 * @typeParam Options the subclass's options, defaults filled in.
 */
export abstract class Optimizer<Options extends object = object> {
  static readonly GATE_NONE = 0;
  static readonly GATE_OP = 1;
  static readonly GATE_GRAPH = 2;

  private readonly name: string;
  private readonly slots = new Map<Variable, Map<string, Variable>>();
  private planned: readonly Variable[] = [];
  private groups: readonly Group<Options>[] = [];

  /** The native update rule. */
  protected abstract readonly rule: Rule;
  /** Whether a sparse gradient moves the rows it does not mention too, with a gradient of zero. */
  protected readonly sparseStepsAllRows: boolean = false;

  protected constructor(
    defaultName: string,
    base: OptimizerOptions,
    protected readonly options: Options,
  ) {
    const { name = defaultName, useLocking = false } = base;
    if (typeof name !== 'string') throw new TypeError(`name must be a string, got ${shown(name)}`);
    if (name === '') throw new RangeError('name must not be empty');
    checkBoolean('useLocking', useLocking);
    this.name = name;
  }

  /** This step's hyperparameters, by the names the rule declares. Must throw for a value that makes no sense. */
  protected abstract hyper(options: Options): Readonly<Record<string, number>>;

  /** What a slot starts from. */
  protected initialSlotValue(_slot: string, _options: Options): number {
    return 0;
  }

  /** The options for one variable; those that are to step together must get the very same object. */
  protected optionsFor(_variable: Variable): Options {
    return this.options;
  }

  /** State beside the slots. */
  protected nonSlotVariables(): readonly Variable[] {
    return [];
  }

  /** Called after all variables of a step have been updated, for each set of options that took part. */
  protected finish(_options: Options): void {}

  /**
   * Gradients of the sum of `loss()` (times `gradLoss`): d sum(loss · gradLoss) / d variable.
   *
   * The gradients stay readable until they have been applied and `computeGradients` is called again; `keep` holds on.
   *
   * @returns a pair for each variable, in the order of `varList`; the gradient is null where the loss does not depend on
   * the variable. `.loss` is the value of the loss.
   * @throws TypeError for arguments of a wrong kind, RangeError for values out of range, Error for an empty varList.
   * Source: `tf.train.Optimizer.compute_gradients`.
   */
  computeGradients(loss: () => Tensor, options: ComputeGradientsOptions = {}): GradientsAndVariables {
    checkFunction('loss', loss);
    checkOptions('options', options);
    const { varList, gateGradients = Optimizer.GATE_OP, colocateGradientsWithOps = false } = options;
    const { aggregationMethod = AggregationMethod.ADD_N } = options;
    checkVarList(varList);
    if (gateGradients !== 0 && gateGradients !== 1 && gateGradients !== 2) {
      throw new RangeError(
        `gateGradients must be one of Optimizer.GATE_NONE, GATE_OP, GATE_GRAPH, got ${shown(gateGradients)}`,
      );
    }
    checkAggregationMethod(aggregationMethod);
    checkBoolean('colocateGradientsWithOps', colocateGradientsWithOps);
    const gradLoss = toGradY('gradLoss', options.gradLoss);
    retireSpent();
    const { value, sources, gradients } = differentiate('loss', loss, varList ?? null, gradLoss, aggregationMethod);
    for (const gradient of gradients) {
      if (gradient !== null) markOurs(gradient instanceof Tensor ? gradient : gradient.values);
    }
    return GradientsAndVariables.of_(
      sources.map((variable, i) => [gradients[i]!, variable as Variable]),
      value,
    );
  }

  /**
   * One step: updates every variable that has a gradient, in one native call, then increments `globalStep`.
   * Pairs whose gradient is null are skipped entirely. When it throws, nothing has changed.
   *
   * @throws TypeError for a wrong kind, RangeError for shapes, indices and hyperparameters out of range, Error for an
   * empty list, a list without gradients, or a variable that occurs twice.
   * Source: `tf.train.Optimizer.apply_gradients`.
   */
  applyGradients(gradsAndVars: Iterable<GradientAndVariable>, options: ApplyGradientsOptions = {}): void {
    checkOptions('options', options);
    const { globalStep, name } = options;
    if (globalStep !== undefined && !(globalStep instanceof GlobalStep)) {
      throw new TypeError(`globalStep must be a GlobalStep, got ${shown(globalStep)}`);
    }
    if (name !== undefined && typeof name !== 'string') {
      throw new TypeError(`name must be a string, got ${shown(name)}`);
    }
    const updates = checkPairs(gradsAndVars);
    this.group(updates);
    for (const group of this.groups) this.prepare(group, updates);
    withConstraints(
      updates,
      (variable) => this.slotsOf(variable),
      () => this.step(updates),
    );
    for (const group of this.groups) this.finish(group.options);
    globalStep?.increment();
    for (const { values } of updates) markSpent(values);
  }

  /**
   * `computeGradients`, then `applyGradients`.
   * @returns the loss.
   * @throws what those throw, and Error when no variable has a gradient.
   * Source: `tf.train.Optimizer.minimize`.
   */
  minimize(loss: () => Tensor, options: MinimizeOptions = {}): Tensor {
    checkOptions('options', options);
    const gradsAndVars = this.computeGradients(loss, options);
    if (gradsAndVars.every(([gradient]) => gradient === null)) {
      const names = namesOf(gradsAndVars.map(([, variable]) => variable));
      throw new Error(
        `No gradients provided for any variable: the loss depends on none of ${names} through an op that has a gradient.`,
      );
    }
    this.applyGradients(gradsAndVars, options);
    return gradsAndVars.loss;
  }

  /** The slot of this name that belongs to `variable`, or null when there is none (yet). */
  getSlot(variable: Variable, name: string): Variable | null {
    return this.slots.get(variable)?.get(name) ?? null;
  }

  /** Names of the slots made so far, sorted. */
  getSlotNames(): string[] {
    return [...new Set([...this.slots.values()].flatMap((slots) => [...slots.keys()]))].sort();
  }

  getName(): string {
    return this.name;
  }

  /** All state of the optimizer, sorted by name: the slots of every variable, and what belongs to no variable. */
  variables(): Variable[] {
    const slots = [...this.slots.values()].flatMap((slots) => [...slots.values()]);
    return [...slots, ...this.nonSlotVariables()].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  }

  /**
   * Makes the slots of these variables now rather than at their first step, so that they can be read or restored.
   * Slots that exist stay as they are.
   */
  createSlots(variables: Iterable<Variable>): void {
    for (const variable of variables) {
      if (!(variable instanceof Variable)) throw new TypeError(`variables must hold Variables, got ${shown(variable)}`);
      this.slotsOf(variable);
    }
  }

  private slotsOf(variable: Variable): readonly Variable[] {
    const existing = this.slots.get(variable);
    if (existing !== undefined) return [...existing.values()];
    const options = this.optionsFor(variable);
    const slots = this.rule.slots.map((slot, i) => {
      const array = sharedArray(variable.dtype, variable.size);
      const initial = this.initialSlotValue(slot, options);
      if (initial !== 0) array.fill(initial);
      const name = `${variable.name}/${this.name}${i === 0 ? '' : `_${i}`}`;
      return new Variable(array, { name, trainable: false, shape: variable.shape });
    });
    this.slots.set(variable, new Map(slots.map((slot, i) => [this.rule.slots[i]!, slot])));
    return slots;
  }

  /** Puts the variables that share their options together; nothing to do when the last step had the same variables. */
  private group(updates: readonly Update[]): void {
    const { planned } = this;
    if (updates.length === planned.length && updates.every(({ variable }, i) => variable === planned[i])) return;
    const groups = new Map<Options, Group<Options>>();
    updates.forEach(({ variable }, i) => {
      const options = this.optionsFor(variable);
      const group = groups.get(options);
      if (group !== undefined) group.members.push(i);
      else groups.set(options, { options, members: [i], numbers: sharedArray('float64', 0), plan: null });
    });
    for (const group of groups.values()) {
      group.numbers = sharedArray('float64', this.rule.hyper.length + group.members.length);
    }
    this.groups = [...groups.values()];
    this.planned = updates.map(({ variable }) => variable);
  }

  /** What can fail of a step, before any variable changes. */
  private prepare(group: Group<Options>, updates: readonly Update[]): void {
    const { members, numbers, options } = group;
    const hyper = this.hyper(options);
    const names = this.rule.hyper;
    for (let i = 0; i < names.length; i++) numbers[i] = hyper[names[i]!]!;
    for (let i = 0; i < members.length; i++) numbers[names.length + i] = updates[members[i]!]!.values.factor;
    group.plan ??= this.planFor(
      members.map((i) => updates[i]!.variable),
      numbers,
    );
  }

  private planFor(variables: readonly Variable[], numbers: FloatArray): Plan {
    return native.createPlan(
      this.rule.id,
      variables.map((variable) => variable.data),
      variables.map((variable) => this.slotsOf(variable).map((slot) => slot.data)),
      Float64Array.from(variables, ({ size, shape }) => (shape[0] ? size / shape[0] : 1)),
      variables.map((variable) => variable.isFixed),
      this.sparseStepsAllRows,
      numbers,
    );
  }

  private step(updates: readonly Update[]): void {
    const isSparse = updates.some(({ indices }) => indices !== undefined);
    for (const { members, plan } of this.groups) {
      const gradients = members.map((i) => updates[i]!.values.raw);
      native.step(plan!, gradients, isSparse ? members.map((i) => updates[i]!.indices) : undefined);
    }
  }
}

function checkVarList(varList: unknown): asserts varList is readonly Variable[] | undefined {
  if (varList === undefined) return;
  if (!Array.isArray(varList)) throw new TypeError(`varList must be an array of Variables, got ${shown(varList)}`);
  if (varList.length === 0) throw new Error('No variables to optimize: varList is empty.');
  for (const variable of varList as unknown[]) {
    if (!(variable instanceof Variable)) throw new TypeError(`varList must hold Variables, got ${shown(variable)}`);
  }
}

