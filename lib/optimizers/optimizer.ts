import { checkOptions, type Names, type NamesOf } from '../options';
import { AggregationMethod, checkAggregationMethod } from '../autodiff/aggregate';
import { differentiate, toGradY } from '../autodiff/gradients';
import { GradientsAndVariables, type GradientAndVariable } from '../autodiff/gradients-and-variables';
import { isRecording } from '../autodiff/tape';
import { checkBoolean, checkFunction, isIterable, shown } from '../checks';
import type { Loans } from '../step/loan';
import { namesOf } from '../step/pairs';
import type { Sharding } from '../step/sharding';
import { idle, inTurn, type Key, type Turn } from '../step/turns';
import type { FloatArray } from '../tensor/dtype';
import type { GlobalStep } from '../tensor/global-step';
import { storedValues } from '../tensor/indexed-slices';
import { checkHandle, sharedState, type OptimizerHandle } from '../tensor/handles';
import { retireSpent } from '../tensor/memory';
import { restoreState } from '../tensor/restore-state';
import { adoptState, type RestoreOptions, type StateEntry, type Stateful, type StateSource } from '../tensor/state';
import { Tensor } from '../tensor/tensor';
import { Variable } from '../tensor/variable';

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

const computeNames: NamesOf<ComputeGradientsOptions> = {
  varList: true,
  gateGradients: true,
  aggregationMethod: true,
  colocateGradientsWithOps: true,
  gradLoss: true,
};
/** @internal */
export const applyNames: NamesOf<ApplyGradientsOptions> = { globalStep: true, name: true };
/** @internal */
export const minimizeNames: NamesOf<MinimizeOptions> = { ...computeNames, ...applyNames };

/** What `computeGradients` and `applyGradients` take. */
export type MinimizeOptions = ComputeGradientsOptions & ApplyGradientsOptions;

/** @internal A step off the event loop that has not had its turn yet. */
export interface PlannedStep {
  /** What it must have for itself. */
  readonly keys: readonly Key[];
  /** Its gradients: they go when it is over, or will not take place. */
  readonly loans: Loans;
  /** Makes the step, in its turn. Returns whether it was made. */
  readonly run: (turn: Turn) => Promise<boolean>;
}

/**
 * What all optimizers have in common, wrappers of others included: gradients are computed here, steps and state are a
 * subclass's.
 */
export abstract class Optimizer implements Stateful {
  static readonly GATE_NONE = 0;
  static readonly GATE_OP = 1;
  static readonly GATE_GRAPH = 2;

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
    checkLoss(loss);
    checkOptions('options', options, computeNames);
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
    if (isRecording()) {
      throw new Error(
        'gradients are being computed already; gradients of gradients are those of gradients(), not of computeGradients',
      );
    }
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
   * @returns whether the step was made: true, unless a wrapper leaves it out.
   * @throws TypeError for a wrong kind, RangeError for shapes, indices and hyperparameters out of range, Error for an
   * empty list, a list without gradients, or a variable that occurs twice.
   * Source: `tf.train.Optimizer.apply_gradients`.
   */
  abstract applyGradients(gradsAndVars: Iterable<GradientAndVariable>, options?: ApplyGradientsOptions): boolean;

  /**
   * `computeGradients`, then `applyGradients`.
   * @returns the loss.
   * @throws what those throw, and Error when no variable has a gradient.
   * Source: `tf.train.Optimizer.minimize`.
   */
  minimize(loss: () => Tensor, options: MinimizeOptions = {}): Tensor {
    const { gradsAndVars, forApply } = this.gradientsToApply(loss, options);
    this.applyGradients(gradsAndVars, forApply);
    return gradsAndVars.loss;
  }

  private gradientsToApply(loss: () => Tensor, options: MinimizeOptions) {
    const { forCompute, forApply } = this.optionsToMinimize(options);
    const gradsAndVars = this.computeGradients(loss, forCompute);
    if (gradsAndVars.every(([gradient]) => gradient === null)) {
      throw this.noGradients(gradsAndVars.map(([, variable]) => variable));
    }
    return { gradsAndVars, forApply };
  }

  /** @internal The options of `minimize` by what takes them. */
  protected optionsToMinimize(options: MinimizeOptions): {
    readonly forCompute: ComputeGradientsOptions;
    readonly forApply: ApplyGradientsOptions;
  } {
    checkOptions('options', options, this.namesToMinimize);
    const forApply: Record<string, unknown> = { ...options };
    return { forCompute: takeOut(forApply, computeNames), forApply: forApply };
  }

  /** @internal What `minimize` throws for a loss that gives none of these a gradient. */
  protected noGradients(variables: readonly Variable[]): Error {
    if (variables.length === 0) {
      return new Error('No gradients provided for any variable: the loss reads no trainable variable.');
    }
    return new Error(
      `No gradients provided for any variable: the loss depends on none of ${namesOf(variables)} through an op that has a gradient.`,
    );
  }

  /**
   * `applyGradients` off the event loop: timers, requests and all else go on while the step runs on the pool's threads. The
   * values that come out have the bits that `applyGradients` gives.
   *
   * Steps that have an optimizer, a variable or a `globalStep` in common follow each other in the order of the calls, each
   * seeing what the one before has made: `await` is not needed between them. Arguments are checked, and gradients in plain
   * memory and indices copied, before the call returns: they are the caller's again. Gradients over a SharedArrayBuffer
   * are not copied, and must stay as they are until the promise is settled. Schedules and initial values are asked
   * when the step has its turn, constraints and the global step come when it has run.
   *
   * Until the promise is settled, reading `variable.data` is allowed but may show a step half done, and changing it is not;
   * `assign`, `dispose`, `restore`, `state` and steps with `applyGradients` are refused for what the step uses.
   *
   * @returns a promise of what `applyGradients` returns. It is rejected with what that throws, with nothing changed, and
   * later steps go on; with an Error also for variables in plain ArrayBuffers, which could be transferred meanwhile.
   * @example
   * async function step(): Promise<void> {
   *   await optimizer.applyGradientsAsync(optimizer.computeGradients(loss));
   * }
   */
  async applyGradientsAsync(
    gradsAndVars: Iterable<GradientAndVariable>,
    options?: ApplyGradientsOptions,
  ): Promise<boolean> {
    const planned = this.planStep(gradsAndVars, options);
    try {
      return await inTurn(planned.keys, planned.run);
    } finally {
      planned.loans.end();
    }
  }

  /**
   * `minimize` whose step is made by `applyGradientsAsync`. The gradients are computed before the call returns, on the event
   * loop.
   * @returns a promise of the loss. It is rejected with what `minimize` throws.
   */
  async minimizeAsync(loss: () => Tensor, options: MinimizeOptions = {}): Promise<Tensor> {
    const { gradsAndVars, forApply } = this.gradientsToApply(loss, options);
    await this.applyGradientsAsync(gradsAndVars, forApply);
    return gradsAndVars.loss;
  }

  /**
   * When no asynchronous step of this optimizer is under way, nor waits for its turn: state and values then are those of
   * whole steps. Steps that fail count as over; it is their own promises that tell of them.
   */
  idle(): Promise<void> {
    return idle(this.turnKeys());
  }

  /**
   * @internal Everything about a step that comes before its turn.
   * @throws Error for an optimizer that can only step on the event loop.
   */
  planStep(_gradsAndVars: Iterable<GradientAndVariable>, _options?: ApplyGradientsOptions): PlannedStep {
    throw new Error(`${this.constructor.name} has no asynchronous steps: it has applyGradients only`);
  }

  /** @internal What each of its steps must have for itself, whatever the variables. */
  turnKeys(): Key[] {
    return [this];
  }

  /** @internal How the state is divided, where each of several ranks has a part of it. */
  sharding(): Sharding | null {
    return null;
  }

  /** The options that `minimize` takes. */
  protected get namesToMinimize(): Names {
    return minimizeNames;
  }

  /** The slot of this name that belongs to `variable`, or null when there is none (yet). */
  abstract getSlot(variable: Variable, name: string): Variable | null;

  /** Names of the slots made so far, sorted. */
  abstract getSlotNames(): string[];

  /** The name that slots are called by. */
  abstract getName(): string;

  /** All state of the optimizer, sorted by name: the slots of every variable, and what belongs to no variable. */
  abstract variables(): Variable[];

  /**
   * Makes the state of these variables now rather than at their first step, so that it can be read or restored: their
   * slots, and what belongs to no variable. What exists stays as it is.
   */
  abstract createSlots(variables: Iterable<Variable>): void;

  /**
   * All state of the optimizer, sorted by key: what `variables()` lists, under their names. Empty before the first step,
   * unless `createSlots` made it.
   * @throws Error when two slots have one key, because their variables have one name; it names both.
   */
  abstract state(): StateEntry[];

  /**
   * Goes on from this state. Slots that exist are written to; an optimizer that has not stepped yet finds the variables
   * that slots belong to in `options.variables`, and makes or adopts their slots. When it throws, nothing has changed.
   * @throws Error for missing, unknown and duplicate keys, TypeError for another dtype, RangeError for another shape.
   */
  restore(entries: Iterable<StateEntry>, options: RestoreOptions = {}): void {
    restoreState([this], entries, options);
  }

  /**
   * What an optimizer of the same kind in another thread adopts, so that both have one state: it can be posted, and given
   * as workerData. The state of these variables is made now, where there is none yet.
   *
   * @param variables all that this optimizer steps.
   * @throws what createSlots and `state` throw, and TypeError for state that is not in shared memory.
   * @example
   * const handles = { v: v.share(), adam: optimizer.share([v]) }; // in the other thread, from handles:
   * const shared = Variable.from(handles.v);
   * const other = new AdamOptimizer().adopt(handles.adam, [shared]); // with the options that the first one has
   */
  share(variables: Iterable<Variable>): OptimizerHandle {
    this.createSlots(variables);
    const state = sharedState(`optimizer '${this.getName()}'`, this.state());
    return { kind: 'gradstep/optimizer', name: this.getName(), state };
  }

  /**
   * Takes the state of another thread's optimizer for its own, in the same memory: it goes on byte for byte, as long as
   * one of them steps at a time. It must have been made with the same options, as functions among them cannot be shared.
   *
   * @param variables of the same names as those there, by `Variable.from`.
   * @throws TypeError for what `share` did not give, what `restore` throws for state that does not fit, and Error for an
   * optimizer that has state of its own already; with nothing changed.
   */
  adopt(handle: OptimizerHandle, variables: Iterable<Variable>): this {
    checkHandle(handle, 'gradstep/optimizer');
    adoptState(this, handle.state, variablesOf(variables));
    return this;
  }

  /** The first half of `restore`: checks, changes nothing, and returns the second half. */
  abstract planRestore(source: StateSource): () => void;

  /**
   * Lets go of all state: the slots of every variable and what belongs to none. Stepping afterwards is an error; doing it
   * twice is none. The variables themselves stay.
   */
  abstract dispose(): void;

  /** `dispose`, at the end of the block that declared the optimizer with `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** @throws TypeError for what is no iterable of Variables. */
function variablesOf(variables: unknown): Variable[] {
  if (!isIterable(variables)) {
    throw new TypeError(`variables must be an iterable of Variables, got ${shown(variables)}`);
  }
  return [...variables].map((variable) => {
    if (variable instanceof Variable) return variable;
    throw new TypeError(`variables must hold Variables, got ${shown(variable)}`);
  });
}

const none: ComputeGradientsOptions = Object.freeze({});

/** Takes the options of these names out of others. */
function takeOut(options: Record<string, unknown>, names: Names): ComputeGradientsOptions {
  let taken: Record<string, unknown> | undefined;
  for (const name in options) {
    if (names[name] !== true) continue;
    (taken ??= {})[name] = options[name];
    delete options[name];
  }
  return taken ?? none;
}

function checkLoss(loss: unknown): void {
  if (loss instanceof Tensor || loss instanceof Variable) {
    throw new TypeError(
      `loss must be a function, got ${shown(loss)}: write () => ..., so that it can be differentiated`,
    );
  }
  checkFunction('loss', loss);
}

/** By name, as `variables()` lists them. */
export function sortedByName(variables: readonly Variable[]): Variable[] {
  return [...variables].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

/** @throws TypeError for what is no string, RangeError for an empty one. */
export function checkName(name: unknown): asserts name is string {
  if (typeof name !== 'string') throw new TypeError(`name must be a string, got ${shown(name)}`);
  if (name === '') throw new RangeError('name must not be empty');
}

export function checkVarList(varList: unknown): asserts varList is readonly Variable[] | undefined {
  if (varList === undefined) return;
  if (!Array.isArray(varList)) throw new TypeError(`varList must be an array of Variables, got ${shown(varList)}`);
  if (varList.length === 0) throw new Error('No variables to optimize: varList is empty.');
  for (const variable of varList as unknown[]) {
    if (!(variable instanceof Variable)) throw new TypeError(`varList must hold Variables, got ${shown(variable)}`);
  }
}
