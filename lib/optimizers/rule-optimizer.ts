import { checkOptions, type Names, type NamesOf } from '../options';
import type { GradientAndVariable } from '../autodiff/gradients-and-variables';
import { checkBoolean, checkFunction, shown, isIterable } from '../checks';
import type { Rule } from '../native';
import type { Hyperparameters } from '../schedules/schedule';
import { Commit } from '../step/commit';
import { Loans } from '../step/loan';
import type { NonSlots } from '../step/non-slots';
import { planOptimizer, stateOf, type OptimizerState } from '../step/optimizer-state';
import type { Read } from '../step/pairs';
import { Plans, type Mechanism, type Step } from '../step/plan';
import { ruleNamed } from '../step/rules';
import { SettingsByVariable, type ParameterGroup, type Settings } from '../step/settings';
import { Slots, suffixes } from '../step/slots';
import { checkQuiet, type Key } from '../step/turns';
import { GlobalStep } from '../tensor/global-step';
import type { StateEntry, StateSource } from '../tensor/state';
import { Variable } from '../tensor/variable';
import {
  applyNames,
  checkName,
  Optimizer,
  sortedByName,
  type ApplyGradientsOptions,
  type PlannedStep,
} from './optimizer';

/** @typeParam H the optimizer's hyperparameters. */
export interface OptimizerOptions<H extends object = object> {
  /** Variables that step with hyperparameters of their own over the optimizer's. */
  groups?: readonly ParameterGroup<H>[];
  /** Accepted for TensorFlow's sake: steps of one thread never race, as asynchronous ones take turns. Default: false. */
  useLocking?: boolean;
  /** Names the slots. Default: the class's name without `Optimizer`. */
  name?: string;
}

/** Further options of the optimizers that have a weight decay. */
export interface WeightDecayOptions {
  /** Says of a variable's name whether its weights do not decay: biases, say. Default: all decay. */
  excludeFromWeightDecay?: (name: string) => boolean;
}

/** What an optimizer is made of; the base class does the rest. */
export interface Definition<H extends object> {
  /** The class's name without `Optimizer`. */
  readonly name: string;
  /** The native update rule's name. */
  readonly rule: string;
  /** The rule's hyperparameters except those that `derive` fills in, and what slots start from. */
  readonly hyperparameters: Hyperparameters<H>;
  /** The names of the class's options beside the hyperparameters and OptimizerOptions. */
  readonly ownOptions?: Names;
  /** What slots start from where that is not 0: a number, or the hyperparameter that says so. */
  readonly initialSlotValues?: Readonly<Record<string, number | (keyof H & string)>>;
  /** What slots are named by, where that is not the optimizer's name. */
  readonly slotOwners?: Readonly<Record<string, string | undefined>>;
  /** Whether a sparse gradient moves the rows it does not mention too, with a gradient of zero. Default: false. */
  readonly sparseStepsAllRows?: boolean;
}

const commonNames: NamesOf<OptimizerOptions> = { groups: true, useLocking: true, name: true };
const decayNames: NamesOf<WeightDecayOptions> = { excludeFromWeightDecay: true };

function namesFor<H extends object>({ rule, hyperparameters, ownOptions }: Definition<H>): Names {
  const own = Object.fromEntries(Object.keys(hyperparameters).map((name) => [name, true as const]));
  const decays = ruleNamed(rule).hyper.includes('weightDecay');
  return { ...own, ...ownOptions, ...(decays && decayNames), ...commonNames };
}

/**
 * The base of the optimizers that step with a native update rule: every mechanism is here, a subclass has its options
 * and its definition.
 *
 * @typeParam H the subclass's hyperparameters.
 */
export abstract class RuleOptimizer<H extends object = object> extends Optimizer {
  /** The native update rule. */
  protected readonly rule: Rule;
  private readonly name: string;
  /** @internal What its steps are made of, also where a step is not over Variables (tfjs/). */
  readonly mechanism: Mechanism;
  private readonly settings: SettingsByVariable;
  private readonly slots: Slots;
  private readonly plans: Plans;
  private isOver = false;

  protected constructor(
    definition: Definition<H>,
    options: (OptimizerOptions<H> & Partial<H> & WeightDecayOptions) | undefined,
  ) {
    super();
    checkOptions('options', options, namesFor(definition));
    const { name = definition.name, useLocking = false, groups, excludeFromWeightDecay } = options ?? {};
    checkName(name);
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
    this.mechanism = {
      rule: this.rule,
      settingsByVariable: this.settings,
      slots: this.slots,
      sparseStepsAllRows,
      excludeFromWeightDecay,
      derive: (hyper, settings) => this.derive(hyper, settings),
      finish: (hyper, settings) => this.finish(hyper, settings),
    };
    this.plans = new Plans(this.mechanism);
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

  /** Makes the state beside the slots, where there is none yet. */
  protected createNonSlots(_hyper: Float64Array, _settings: Settings): void {}

  /** @internal Goes on as after so many steps, where that is not in the slots; before the first step. */
  goOnAfter(_steps: number): void {}

  /** State that belongs to no variable, or null where there is none. */
  protected nonSlots(): NonSlots | null {
    return null;
  }

  override applyGradients(gradsAndVars: Iterable<GradientAndVariable>, options?: ApplyGradientsOptions): boolean {
    const globalStep = options === undefined ? undefined : globalStepOf(options);
    this.checkInUse();
    const step = this.makeStep(this.plans.read(gradsAndVars), globalStep);
    const commit = Commit.open;
    try {
      if (commit !== null) {
        step.runAtOnce(commit, this.nonSlots());
      } else {
        step.run();
        step.publish();
      }
    } finally {
      step.end();
    }
    return true;
  }

  /** @internal */
  override planStep(gradsAndVars: Iterable<GradientAndVariable>, options?: ApplyGradientsOptions): PlannedStep {
    const globalStep = options === undefined ? undefined : globalStepOf(options);
    this.checkInUse();
    const loans = new Loans(this.plans.read(gradsAndVars));
    return {
      keys: [...this.turnKeys(), ...loans.keys, ...(globalStep === undefined ? [] : [globalStep.buffer])],
      loans,
      run: async (turn) => {
        const step = this.makeStep(loans.read, globalStep);
        try {
          await step.runAsync();
          turn.inCharge(() => step.publish());
        } finally {
          step.end();
        }
        loans.spend();
        return true;
      },
    };
  }

  /** @internal */
  override turnKeys(): Key[] {
    return [this.mechanism];
  }

  /**
   * @internal A step that is prepared: all functions of the user but constraints have been called, and nothing has changed.
   * What it does it does in parts, which see: it is the caller's to run, to publish and to end.
   */
  makeStep(read: Read, globalStep: GlobalStep | undefined): Step {
    this.checkInUse();
    return this.plans.for(read).prepare(read.gradients, globalStep);
  }

  override dispose(): void {
    this.checkQuiet();
    this.isOver = true;
    this.slots.clear();
    this.plans.clear();
    this.nonSlots()?.clear();
  }

  /** @internal @throws Error when it is not. */
  checkInUse(): void {
    if (this.isOver) throw new Error('this optimizer has been disposed of');
  }

  private checkQuiet(): void {
    checkQuiet(this.mechanism, () => 'this optimizer');
  }

  /**
   * The slot of this name that belongs to `variable`, or null when there is none (yet). Slots of small variables lie
   * together: the buffer of its `data` may hold others too.
   */
  override getSlot(variable: Variable, name: string): Variable | null {
    return this.slots.get(variable, name);
  }

  /** Names of the slots made so far, sorted. */
  override getSlotNames(): string[] {
    return this.slots.names();
  }

  /** The name that slots are called by. */
  override getName(): string {
    return this.name;
  }

  /** All state of the optimizer, sorted by name: the slots of every variable, and what belongs to no variable. */
  override variables(): Variable[] {
    return sortedByName([...this.slots.all(), ...(this.nonSlots()?.variables() ?? [])]);
  }

  /**
   * Makes the state of these variables now rather than at their first step, so that it can be read or restored: their
   * slots, and what belongs to no variable. What exists stays as it is.
   */
  override createSlots(variables: Iterable<Variable>): void {
    this.checkInUse();
    this.checkQuiet();
    if (!isIterable(variables)) {
      throw new TypeError(`variables must be an iterable of Variables, got ${shown(variables)}`);
    }
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

  override state(): StateEntry[] {
    this.checkQuiet();
    return stateOf(this.stateParts());
  }

  override planRestore(source: StateSource): () => void {
    this.checkInUse();
    if (source.replaces && this.variables().length > 0) {
      throw new Error(
        `optimizer '${this.name}' has state of its own: another thread's is for a new optimizer to adopt`,
      );
    }
    this.checkQuiet();
    return planOptimizer(this.stateParts(), source);
  }

  /** @internal Keys of state that belongs to no variable, made or not. */
  nonSlotKeys(): string[] {
    const nonSlots = this.nonSlots();
    return nonSlots === null ? [] : this.settings.all.flatMap((settings) => nonSlots.keys(settings));
  }

  /** @internal State that belongs to no variable, as far as it has been made. */
  nonSlotVariables(): Variable[] {
    return this.nonSlots()?.variables() ?? [];
  }

  private stateParts(): OptimizerState {
    return {
      slots: this.slots,
      nonSlots: this.nonSlots(),
      settingsOf: (variable) => this.settings.of(variable),
    };
  }
}

/** @internal The step to count, of options that are checked. */
export function globalStepOf(options: ApplyGradientsOptions): GlobalStep | undefined {
  checkOptions('options', options, applyNames);
  const { globalStep, name } = options;
  if (globalStep !== undefined && !(globalStep instanceof GlobalStep)) {
    throw new TypeError(`globalStep must be a GlobalStep, got ${shown(globalStep)}`);
  }
  if (name !== undefined && typeof name !== 'string') throw new TypeError(`name must be a string, got ${shown(name)}`);
  return globalStep;
}
