import type { Names, NamesOf } from '../options';
import { checkBoolean, checkFunction, shown } from '../checks';
import type { RuleOptimizer } from '../optimizers/rule-optimizer';
import { valueOf, notNegative, type Schedule } from '../schedules/schedule';
import type { Settings } from '../step/settings';
import { Variable } from '../tensor/variable';
import { checkClipping, clippingNames, type ClippingOptions } from './clipping';
import { theEngine, type Engine, type TfNamedTensor, type TfTensor, type TfVariable } from './engine';
import { memoryOf } from './memory/memory';
import { States, standInFor } from './states';
import { Steps, type Update } from './step';

/** Options of every optimizer. */
export interface CommonOptions extends ClippingOptions {
  /** Steps on any backend, by reading and assigning all values in each step: slow. Default: false. */
  copy?: boolean;
}

const commonNames: NamesOf<CommonOptions> = { ...clippingNames, copy: true };

type Given = Readonly<Record<string, unknown>>;

/** What makes one optimizer out of another. */
export interface Kind {
  /** What models are saved with. */
  readonly className: string;
  /** The options that are no hyperparameters and no CommonOptions. */
  readonly ownOptions: Names;
  /** Whether models are saved with the name of a class of TensorFlow.js's, which reads what it knows of the options. */
  readonly isTheirs: boolean;
  /** Hyperparameters that TensorFlow.js's class has not, and that are saved only where they were given. */
  readonly notTheirs?: readonly string[];
  /** The update rule with its hyperparameters, of options without CommonOptions. `iterations` counts the steps. */
  readonly create: (options: Given, iterations: () => number) => RuleOptimizer;
  /** Options that are enough to make one. */
  readonly enough: Given;
  /** Names of slots where weights are called otherwise than by the rule, or come in another order. */
  readonly weights?: readonly (readonly [slot: string, suffix: string])[];
}

/** A list of gradients, or gradients by the names of their variables; null where there is none. */
export type TfGradients =
  | Readonly<Record<string, TfTensor | null | undefined>>
  | readonly { readonly name: string; readonly tensor: TfTensor | null | undefined }[];

/**
 * An optimizer of TensorFlow.js that steps with gradstep's kernels, in place. Made by `adam`, `adamW` and their like.
 *
 * It has what TensorFlow.js asks of an optimizer, and state is kept by variable.
 */
export class TfjsOptimizer {
  private readonly engine: Engine = theEngine();
  private readonly rule: RuleOptimizer;
  private readonly common: Settings;
  private readonly options: Given;
  private readonly clipping: ClippingOptions;
  private readonly copies: boolean;
  private readonly steps: Steps;
  private readonly states: States;
  /** In the order of weights: the number of the slot. */
  private readonly suffixes: readonly string[];
  private rate: Schedule;
  private momentumOf: Schedule | undefined;
  private count = 0;
  private isOver = false;

  /** @internal */
  constructor(
    /** @internal */
    readonly kind: Kind,
    options: object,
  ) {
    const { copy = false } = options as CommonOptions;
    checkBoolean('copy', copy);
    this.copies = copy;
    this.clipping = checkClipping(options);
    const given = withStandIns(without(options as Given, commonNames));
    const iterations = (): number => this.count;
    // Made twice: once to learn what is right and what the defaults are, then with what may be set later on.
    const first = settingsOf(kind.create(given, iterations));
    this.rate = (given.learningRate as Schedule | undefined) ?? first.value('learningRate');
    const changing: Record<string, Schedule> = { learningRate: () => this.learningRate };
    if (first.optionNames.includes('momentum')) {
      this.momentumOf = (given.momentum as Schedule | undefined) ?? first.value('momentum');
      changing.momentum = () => valueNow(this.momentumOf!);
    }
    this.options = given;
    this.rule = kind.create({ ...given, ...changing }, iterations);
    this.common = settingsOf(this.rule);
    const { mechanism } = this.rule;
    this.suffixes = mechanism.rule.slots.map((slot) => kind.weights?.find(([name]) => name === slot)?.[1] ?? slot);
    this.states = new States(this.engine, mechanism, this.suffixes);
    this.steps = new Steps(mechanism, this.clipping);
  }

  /** How often it has stepped. */
  get iterations(): number {
    return this.count;
  }

  /** The learning rate of the next step; setting it takes effect. */
  get learningRate(): number {
    return valueOf('learningRate', this.rate, notNegative);
  }

  /** Sets the learning rate: a number, or a function that each step asks. @throws RangeError for what is negative. */
  set learningRate(rate: Schedule) {
    if (typeof rate === 'function') this.rate = rate;
    else this.rate = valueOf('learningRate', rate, notNegative);
  }

  /** Sets the learning rate. */
  setLearningRate(rate: Schedule): void {
    this.learningRate = rate;
  }

  /** Sets the momentum of an optimizer that has one. @throws Error for one that has none. */
  setMomentum(momentum: Schedule): void {
    if (this.momentumOf === undefined) throw new Error(`${this.kind.className} has no momentum`);
    if (typeof momentum !== 'function' && !Number.isFinite(momentum)) {
      throw new RangeError(`momentum must be a finite number, got ${shown(momentum)}`);
    }
    this.momentumOf = momentum;
  }

  /**
   * Computes the gradients of `f` and steps.
   *
   * @param returnCost whether to return the loss.
   * @param varList the variables to update; default: all that are trainable.
   */
  minimize(f: () => TfTensor, returnCost = false, varList?: readonly TfVariable[]): TfTensor | null {
    const { value, grads } = this.computeGradients(f, varList);
    // A list has its order, which says where state goes that was set by position.
    this.applyGradients(varList?.map(({ name }) => ({ name, tensor: grads[name] })) ?? grads);
    for (const gradient of Object.values(grads)) gradient?.dispose();
    if (returnCost) return value;
    value.dispose();
    return null;
  }

  /**
   * The loss and its gradients by the names of variables, as `tf.variableGrads` has them: null for what is not trainable.
   * @throws Error when nothing is trainable, or nothing depends on a variable.
   */
  computeGradients(
    f: () => TfTensor,
    varList?: readonly TfVariable[],
  ): { value: TfTensor; grads: Record<string, TfTensor> } {
    checkFunction('f', f);
    const { engine } = this;
    const listed = varList ?? Object.values(engine.registeredVariables).map((variable) => variable!);
    const trainable = listed.filter((variable) => variable.trainable);
    if (trainable.length === 0) {
      throw new Error(
        `variableGrads() expects at least one of the input variables to be trainable, but none of the ${listed.length} variables is trainable.`,
      );
    }
    const { value, grads } = engine.gradients(f, trainable, null, true);
    if (!grads.some((gradient) => gradient !== null && gradient !== undefined)) {
      throw new Error(
        'Cannot find a connection between any variable and the result of the loss function y=f(x). ' +
          'Please make sure the operations that use variables are inside the function f passed to minimize().',
      );
    }
    if (value.shape.length > 0) {
      throw new Error(
        `The f passed in variableGrads(f) must return a scalar, but it returned a rank-${value.shape.length} tensor`,
      );
    }
    const named: Record<string, TfTensor | null> = {};
    trainable.forEach(({ name }, i) => {
      if (grads[i] !== null && grads[i] !== undefined) named[name] = grads[i];
    });
    for (const variable of varList ?? []) if (!variable.trainable) named[variable.name] = null;
    return { value, grads: named as Record<string, TfTensor> };
  }

  /**
   * One step: every variable that has a gradient changes, in place, and nothing else does. When it throws, nothing has
   * changed.
   *
   * @throws Error for a name that no variable has or that comes twice, TypeError for what is not float32, RangeError for
   * a gradient of another shape than its variable's.
   */
  applyGradients(gradients: TfGradients): void {
    if (this.isOver) throw new Error('this optimizer has been disposed of');
    const listed = this.read(gradients);
    const memory = memoryOf(this.engine, this.copies);
    const states = this.states.of(listed.map(({ variable }) => variable));
    const updates: Update[] = [];
    for (let i = 0; i < listed.length; i++) {
      const { gradient } = listed[i]!;
      if (gradient !== null) updates.push({ state: states[i]!, gradient });
    }
    this.steps.run(memory, updates);
    this.count++;
  }

  private read(gradients: TfGradients): { variable: TfVariable; gradient: TfTensor | null }[] {
    const { registeredVariables } = this.engine;
    const names = new Set<string>();
    const listed: { variable: TfVariable; gradient: TfTensor | null }[] = [];
    const add = (name: string, tensor: TfTensor | null | undefined): void => {
      const variable = registeredVariables[name];
      if (variable === undefined) throw new Error(`there is no variable named ${shown(name)}`);
      if (names.has(name)) throw new Error(`variable ${shown(name)} occurs twice`);
      names.add(name);
      const gradient = tensor ?? null;
      if (gradient !== null) checkGradient(variable, gradient);
      else if (!variable.trainable) return; // frozen: it needs no state
      listed.push({ variable, gradient });
    };
    if (Array.isArray(gradients)) {
      for (const { name, tensor } of gradients as readonly TfNamedTensor[]) add(name, tensor);
    } else {
      const byName = gradients as Readonly<Record<string, TfTensor | null | undefined>>;
      for (const name in byName) add(name, byName[name]);
    }
    return listed;
  }

  /** The number of iterations, then all slots, slot by slot, in the order in which their variables came. */
  async getWeights(): Promise<TfNamedTensor[]> {
    const weights = this.states.weights(); // those of now
    return [await this.saveIterations(), ...weights];
  }

  /** The number of iterations, as the first of the weights. */
  saveIterations(): Promise<TfNamedTensor> {
    return Promise.resolve({
      name: 'iter',
      tensor: this.engine.makeTensor(Int32Array.of(this.count), [], 'int32'),
    });
  }

  /**
   * Goes on from such weights. Whose they are is told by their names, and where those are unknown, by the order of the
   * variables in the next step, as TensorFlow.js does.
   */
  async setWeights(weights: readonly TfNamedTensor[]): Promise<void> {
    this.takeOver(await this.extractIterations(weights), this.count);
  }

  /** Takes the number of iterations from the first of the weights. Returns the others. */
  async extractIterations(weights: readonly TfNamedTensor[]): Promise<TfNamedTensor[]> {
    const [first, ...others] = weights;
    if (first === undefined) throw new RangeError('weights must start with the number of iterations, got none');
    const [count] = Array.from(await first.tensor.data());
    this.count = Number(count);
    return others;
  }

  /** @internal The state of another optimizer: weights without the number of iterations. */
  takeOver(weights: readonly TfNamedTensor[], iterations: number): void {
    this.states.set(weights);
    this.steps.clear();
    this.count = iterations;
    this.rule.goOnAfter(iterations);
  }

  /** @internal The names of its weights after those of variables. */
  get weightSuffixes(): readonly string[] {
    return this.suffixes;
  }

  /** @internal */
  currentWeights(): TfNamedTensor[] {
    return this.states.weights();
  }

  /** Disposes of the state of all variables. Stepping afterwards is an error. */
  dispose(): void {
    this.isOver = true;
    this.states.dispose();
    this.steps.clear();
  }

  /** What models are saved with: TensorFlow.js's own name where its formula is the default, so that they load without gradstep. */
  getClassName(): string {
    return this.kind.className;
  }

  /** Its options as they are now, for saving. Functions have no place there: a schedule is saved as its value now. */
  getConfig(): Record<string, unknown> {
    const { notTheirs = [] } = this.kind;
    const names = this.common.optionNames.filter(
      (name) => !notTheirs.includes(name) || (this.options[name] ?? null) !== null,
    );
    const hyper = names.map((name) => [name, this.common.value(name)] as const);
    const own = Object.keys(this.kind.ownOptions).map((name) => [name, this.options[name] === true] as const);
    const copy = this.copies ? { copy: true } : {};
    return { ...Object.fromEntries<unknown>([...hyper, ...own]), ...this.clipping, ...copy };
  }
}

const valueNow = (schedule: Schedule): number => (typeof schedule === 'function' ? schedule() : schedule);

const without = (options: Given, names: Names): Given =>
  Object.fromEntries(Object.entries(options).filter(([name]) => names[name] !== true));

/** Any variable's that is in no group. */
const settingsOf = ({ mechanism }: RuleOptimizer): Settings =>
  mechanism.settingsByVariable.of(Variable.over(new Float32Array(0), { name: 'any', trainable: false }));

/** Options whose groups list variables of TensorFlow.js, with what stands for those. */
function withStandIns(options: Given): Given {
  const { groups } = options;
  if (!Array.isArray(groups)) return options;
  const replaced = (groups as readonly { variables?: unknown }[]).map((group) => {
    if (!Array.isArray(group?.variables)) return group;
    return { ...group, variables: (group.variables as readonly TfVariable[]).map(standInFor) };
  });
  return { ...options, groups: replaced };
}

function checkGradient({ name, shape, dtype }: TfVariable, gradient: TfTensor): void {
  if (dtype !== 'float32') throw new TypeError(`variable '${name}' must be float32, it is ${dtype}`);
  if (gradient.dtype !== 'float32')
    throw new TypeError(`gradient of '${name}' must be float32, it is ${gradient.dtype}`);
  if (gradient.isDisposed) throw new Error(`gradient of '${name}' has been disposed of`);
  const given = gradient.shape;
  let isSame = given.length === shape.length;
  for (let i = 0; isSame && i < shape.length; i++) isSame = given[i] === shape[i];
  if (!isSame) {
    throw new RangeError(`gradient of '${name}' has shape [${given.join(', ')}], expected [${shape.join(', ')}]`);
  }
}

/** The options of an optimizer that can be saved. */
export function optionNamesOf({ create, enough, ownOptions }: Kind): string[] {
  const { optionNames } = settingsOf(create(enough, () => 0));
  return [...optionNames, ...Object.keys(ownOptions), ...Object.keys(commonNames)];
}

/** Those of some options that an optimizer has, too. */
export function optionsFor(kind: Kind, config: Given): Given {
  const names = optionNamesOf(kind).filter((name) => config[name] !== undefined && config[name] !== null);
  return Object.fromEntries(names.map((name) => [name, config[name]]));
}
