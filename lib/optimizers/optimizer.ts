import { AggregationMethod, checkAggregationMethod } from '../autodiff/aggregate';
import { differentiate, toGradY } from '../autodiff/gradients';
import { checkBoolean, checkFunction, checkOptions, shown } from '../checks';
import type { FloatArray } from '../tensor/dtype';
import { GlobalStep } from '../tensor/global-step';
import { GradientsAndVariables, type GradientAndVariable } from '../autodiff/gradients-and-variables';
import { storedValues } from '../tensor/indexed-slices';
import type { Rule } from '../native';
import type { Tensor } from '../tensor/tensor';
import { Variable } from '../tensor/variable';
import { Constraints } from '../step/constraints';
import { Plans, type Plan } from '../step/plan';
import type { Hyperparameters } from '../schedules/schedule';
import { namesOf, readPairs } from '../step/pairs';
import { ruleNamed } from '../step/rules';
import { SettingsByVariable, type ParameterGroup, type Settings } from '../step/settings';
import { Slots, suffixes } from '../step/slots';
import { retireSpent } from '../tensor/memory';

/** @typeParam H the optimizer's hyperparameters. */
export interface OptimizerOptions<H extends object = object> {
  /** Variables that step with hyperparameters of their own over the optimizer's. */
  groups?: readonly ParameterGroup<H>[];
  /** Accepted for TensorFlow's sake; steps of one thread never race. Default: false. */
  useLocking?: boolean;
  /** Names the slots. Default: the class's name without `Optimizer`. */
  name?: string;
}

/** Further options of the optimizers that have a weight decay. */
export interface WeightDecayOptions {
  /** Says of a variable's name whether its weights do not decay: biases, say. Default: all decay. */
  excludeFromWeightDecay?: (name: string) => boolean;
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

/** What `computeGradients` and `applyGradients` take. */
export type MinimizeOptions = ComputeGradientsOptions & ApplyGradientsOptions;

/** What an optimizer is made of; the base class does the rest. */
export interface Definition<H extends object> {
  /** The class's name without `Optimizer`. */
  readonly name: string;
  /** The native update rule's name. */
  readonly rule: string;
  /** The rule's hyperparameters except those that `derive` fills in, and what slots start from. */
  readonly hyperparameters: Hyperparameters<H>;
  /** What slots start from where that is not 0: a number, or the hyperparameter that says so. */
  readonly initialSlotValues?: Readonly<Record<string, number | (keyof H & string)>>;
  /** What slots are named by, where that is not the optimizer's name. */
  readonly slotOwners?: Readonly<Record<string, string | undefined>>;
  /** Whether a sparse gradient moves the rows it does not mention too, with a gradient of zero. Default: false. */
  readonly sparseStepsAllRows?: boolean;
}

/**
 * The base of all optimizers: every mechanism is here, a subclass has its options and its definition.
 *
 * @typeParam H the subclass's hyperparameters.
 */
export abstract class Optimizer<H extends object = object> {
  static readonly GATE_NONE = 0;
  static readonly GATE_OP = 1;
  static readonly GATE_GRAPH = 2;

  /** The native update rule. */
  protected readonly rule: Rule;
  private readonly name: string;
  private readonly settings: SettingsByVariable;
  private readonly slots: Slots;
  private readonly plans: Plans;
  private isOver = false;

  protected constructor(
    definition: Definition<H>,
    options: (OptimizerOptions<H> & Partial<H> & WeightDecayOptions) | undefined,
  ) {
    checkOptions('options', options);
    const { name = definition.name, useLocking = false, groups, excludeFromWeightDecay } = options ?? {};
    if (typeof name !== 'string') throw new TypeError(`name must be a string, got ${shown(name)}`);
    if (name === '') throw new RangeError('name must not be empty');
    checkBoolean('useLocking', useLocking);
    if (excludeFromWeightDecay !== undefined) checkFunction('excludeFromWeightDecay', excludeFromWeightDecay);
    const { hyperparameters, initialSlotValues = {}, slotOwners = {}, sparseStepsAllRows = false } = definition;
    this.name = name;
    this.rule = ruleNamed(definition.rule);
    this.settings = new SettingsByVariable(hyperparameters, this.rule.hyper, { ...options }, groups);
    const names = suffixes(this.rule.slots.map((slot) => slotOwners[slot] ?? name));
    this.slots = new Slots(
      this.rule.slots.map((slot, i) => {
        const initial = initialSlotValues[slot] ?? 0;
        const value = (variable: Variable) => this.settings.of(variable).value(initial as string);
        return { name: slot, suffix: names[i]!, initial: typeof initial === 'number' ? () => initial : value };
      }),
    );
    this.plans = new Plans({
      rule: this.rule,
      settingsByVariable: this.settings,
      slots: this.slots,
      sparseStepsAllRows,
      excludeFromWeightDecay,
      derive: (hyper, settings) => this.derive(hyper, settings),
    });
  }

  /** The position of one of the rule's hyperparameters. @throws Error for a name that the rule does not have. */
  protected hyperAt(name: string): number {
    const at = this.rule.hyper.indexOf(name);
    if (at < 0) throw new Error(`rule '${this.rule.name}' has no hyperparameter '${name}'`);
    return at;
  }

  /** Fills in those of a step's hyperparameters that are not options. Must change nothing else. */
  protected derive(_hyper: Float64Array, _settings: Settings): void {}

  /** Called after all variables of a step have been updated, for each of the settings that took part. */
  protected finish(_hyper: Float64Array, _settings: Settings): void {}

  /** Lets go of the state beside the slots. */
  protected disposeNonSlots(): void {}

  /** Makes the state beside the slots, where there is none yet. */
  protected createNonSlots(_hyper: Float64Array, _settings: Settings): void {}

  /** State beside the slots. */
  protected nonSlotVariables(): readonly Variable[] {
    return [];
  }

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
      if (gradient !== null) storedValues(gradient).memory.isRecyclable = true;
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
    this.checkInUse();
    const read = readPairs(gradsAndVars);
    const plan = this.plans.for(read);
    const step = plan.prepare(read.gradients);
    try {
      const constraints = plan.constrained.length > 0 ? new Constraints(plan.constrained, this.changedBy(plan)) : null;
      step.run();
      step.publishSlots();
      constraints?.apply(() => step.withdrawSlots());
      for (const { settings, group } of plan.settings) this.finish(step.hyper[group]!, settings);
      globalStep?.increment();
      step.spendGradients();
    } finally {
      plan.takeBack(step);
    }
  }

  /**
   * Lets go of all state: the slots of every variable and what belongs to none. Stepping afterwards is an error; doing it
   * twice is none. The variables themselves stay.
   */
  dispose(): void {
    this.isOver = true;
    this.slots.clear();
    this.plans.clear();
    this.disposeNonSlots();
  }

  /** `dispose`, at the end of the block that declared the optimizer with `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  private checkInUse(): void {
    if (this.isOver) throw new Error('this optimizer has been disposed of');
  }

  /** What a step may have changed and would have to put back. */
  private changedBy({ variables }: Plan): Variable[] {
    return variables.flatMap((variable) => [variable, ...(this.slots.of(variable) ?? [])]);
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

  /**
   * The slot of this name that belongs to `variable`, or null when there is none (yet). Slots of small variables lie
   * together: the buffer of its `data` may hold others too.
   */
  getSlot(variable: Variable, name: string): Variable | null {
    return this.slots.get(variable, name);
  }

  /** Names of the slots made so far, sorted. */
  getSlotNames(): string[] {
    return this.slots.names();
  }

  /** The name that slots are called by. */
  getName(): string {
    return this.name;
  }

  /** All state of the optimizer, sorted by name: the slots of every variable, and what belongs to no variable. */
  variables(): Variable[] {
    const variables = [...this.slots.all(), ...this.nonSlotVariables()];
    return variables.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  }

  /**
   * Makes the state of these variables now rather than at their first step, so that it can be read or restored: their
   * slots, and what belongs to no variable. What exists stays as it is.
   */
  createSlots(variables: Iterable<Variable>): void {
    this.checkInUse();
    const list = [...variables];
    for (const variable of list as readonly unknown[]) {
      if (!(variable instanceof Variable)) throw new TypeError(`variables must hold Variables, got ${shown(variable)}`);
    }
    const settings = [...new Set(list.map((variable) => this.settings.of(variable)))];
    const hyper = settings.map((own) => {
      const values = new Float64Array(this.rule.hyper.length);
      own.evaluate(values);
      return values;
    });
    const newSlots = this.slots.evaluate(list);
    newSlots?.allocate();
    newSlots?.publish();
    settings.forEach((own, i) => this.createNonSlots(hyper[i]!, own));
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
