import { checkOptions, type NamesOf } from '../options';
import { checkLike, DebiasedAverage, decayAt, moveToward, zeros, type Update } from './averages';
import { checkBoolean, shown, isIterable } from '../checks';
import { lengthOf, sharedArray } from '../tensor/arrays';
import type { DType, FloatArray } from '../tensor/dtype';
import { checkSchedule, fraction, type Schedule } from '../schedules/schedule';
import { checkStep, type StepSource } from '../schedules/step-source';
import { showShape, type Shape } from '../tensor/shape';
import { restoreState } from '../tensor/restore-state';
import {
  adoptState,
  inOrder,
  planVariables,
  uniqueEntries,
  variableEntry,
  type RestoreOptions,
  type StateEntry,
  type Stateful,
  type StateSource,
} from '../tensor/state';
import { checkHandle, sharedState, type AveragesHandle } from '../tensor/handles';
import { checkFloats, isTensor, type Tensor } from '../tensor/tensor';
import { Variable } from '../tensor/variable';

/** What can be averaged: a variable, or values of a name, which may be another tensor each time. */
export type Averaged = Variable | readonly [name: string, value: Tensor];

export interface ExponentialMovingAverageOptions {
  /** The number n of updates so far: while it is small, the decay is (1 + n) / (10 + n). Default: none. */
  numUpdates?: StepSource;
  /** Whether averages of named values make up for having started from 0. Those of variables start from their value and
   * have nothing to make up for. Default: false. */
  zeroDebias?: boolean;
  /** Follows a variable's name in the name of its average. Default: `ExponentialMovingAverage`. */
  name?: string;
}

const averageNames: NamesOf<ExponentialMovingAverageOptions> = { numUpdates: true, zeroDebias: true, name: true };

/**
 * Moving averages of variables: average ← average − (1 − d)(average − value), with d = decay, or
 * d = min(decay, (1 + n) / (10 + n)) where `numUpdates` n is given. Models often do better with the averages of their
 * weights than with the weights.
 *
 * An average starts from its variable's value at the first `apply`; that of a named value starts from 0 and with
 * `zeroDebias` is divided by 1 − dᵗ, where t counts its updates. d is held in double precision and rounded once.
 *
 * Source: `tf.train.ExponentialMovingAverage`.
 * @example
 * const averages = new ExponentialMovingAverage(0.9999);
 * for (let step = 0; step < 100; step++) {
 *   const value = optimizer.minimize(loss);
 *   averages.apply([v, w, ['loss', value]]);
 * }
 * averages.average(v)!.data;
 */
export class ExponentialMovingAverage implements Stateful {
  readonly name: string;
  private readonly numUpdates: StepSource | undefined;
  private readonly zeroDebias: boolean;
  private readonly ofVariables = new Map<Variable, Variable>();
  private readonly ofNames = new Map<string, DebiasedAverage>();

  /** @throws TypeError for a wrong kind, RangeError unless decay is in [0, 1]. */
  constructor(
    private readonly decay: Schedule,
    options: ExponentialMovingAverageOptions = {},
  ) {
    checkSchedule('decay', decay, fraction);
    checkOptions('options', options, averageNames);
    const { numUpdates, zeroDebias = false, name = 'ExponentialMovingAverage' } = options;
    if (numUpdates !== undefined) checkStep(numUpdates, undefined, 'numUpdates');
    checkBoolean('zeroDebias', zeroDebias);
    if (typeof name !== 'string') throw new TypeError(`name must be a string, got ${shown(name)}`);
    if (name === '') throw new RangeError('name must not be empty');
    this.numUpdates = numUpdates;
    this.zeroDebias = zeroDebias;
    this.name = name;
  }

  /**
   * One update of the averages of these, which are made where there are none yet. When it throws, nothing has changed.
   *
   * @throws TypeError for what is neither a Variable nor a name and a Tensor, RangeError for a named value of another
   * shape than before, Error for what occurs twice, and for a variable while an asynchronous step of it is not over.
   */
  apply(values: Iterable<Averaged>): void {
    const variables = new Set<Variable>();
    const named = new Map<string, Tensor>();
    const list = [...iterable('values', values)];
    const decay = decayAt(this.decay, this.numUpdates);
    for (const value of list) this.classify(value, variables, named); // nothing of the user's runs from here on
    const updates: Update[] = Array.from(variables, (variable) => {
      return { dtype: variable.dtype, average: this.averageOf(variable), value: variable.data };
    });
    const averages: DebiasedAverage[] = [];
    for (const [name, value] of named) {
      const average = this.averageOfName(name, value);
      updates.push({ dtype: value.dtype, average: average.summed, value: value.data });
      averages.push(average);
    }
    moveToward(updates, decay);
    for (const average of averages) average.updated(decay);
  }

  /** The average of a variable, or of the value of this name; null before the first `apply`. */
  average(of: Variable | string): Variable | null {
    return (typeof of === 'string' ? this.ofNames.get(of)?.average : this.ofVariables.get(of)) ?? null;
  }

  /** The name of the average, made or not: `kernel/ExponentialMovingAverage`. */
  averageName(of: Variable | string): string {
    if (typeof of !== 'string' && !(of instanceof Variable)) {
      throw new TypeError(`averageName takes a Variable or a name, got ${shown(of)}`);
    }
    return `${typeof of === 'string' ? of : of.name}/${this.name}`;
  }

  /**
   * By which name to look up each variable in a checkpoint, so that it is restored with its average: the average's
   * name for those that have one, their own for others.
   *
   * @param movingAverageVariables default: the variables that `apply` was called with.
   * @param others variables to restore as they are. There is no list of all variables to take them from.
   * @throws Error when two have one name.
   */
  variablesToRestore(
    movingAverageVariables: Iterable<Variable> = this.ofVariables.keys(),
    others: Iterable<Variable> = [],
  ): Map<string, Variable> {
    const names = new Map<string, Variable>();
    const add = (name: string, variable: Variable): void => {
      if (names.has(name)) throw new Error(`two variables are to be restored from '${name}'`);
      names.set(name, variable);
    };
    const averaged = new Set(variablesOf('movingAverageVariables', movingAverageVariables));
    for (const variable of averaged) add(this.averageName(variable), variable);
    for (const variable of new Set(variablesOf('others', others))) {
      if (!averaged.has(variable)) add(variable.name, variable);
    }
    return names;
  }

  /**
   * The averages made so far, under their names. That of a named value comes with the number of its updates,
   * `<average>/updates`, and with `zeroDebias` also as it is before it makes up for having started from 0,
   * `<average>/biased`.
   * @throws Error when two have one key, naming both.
   */
  state(): StateEntry[] {
    return uniqueEntries([
      ...Array.from(this.ofVariables, ([{ name, shape }, average]) => {
        return [`the variable '${name}' of shape ${showShape(shape)}`, variableEntry(average)] as const;
      }),
      ...[...this.ofNames].flatMap(([name, debiased]) => {
        const { average } = debiased;
        const entries = [
          variableEntry(average),
          ...debiased.state(`${average.name}/updates`, `${average.name}/biased`),
        ];
        return entries.map((entry) => [`the values named '${name}'`, entry] as const);
      }),
    ]);
  }

  /**
   * Goes on from this state. Averages that exist are written to, others are made or adopted: those of variables for the
   * variables of their names among `options.variables`. When it throws, nothing has changed.
   * @throws Error for missing, unknown and duplicate keys and variables that are not known, TypeError for another dtype,
   * RangeError for another shape.
   */
  restore(entries: Iterable<StateEntry>, options: RestoreOptions = {}): void {
    restoreState([this], entries, options);
  }

  /**
   * What averages in another thread adopt, so that both are one: it can be posted, and given as workerData. Those that
   * `apply` has made so far are in it.
   * @throws what `state` throws.
   */
  share(): AveragesHandle {
    return { kind: 'gradstep/averages', state: sharedState(`averages '${this.name}'`, this.state()) };
  }

  /**
   * Takes the averages of another thread for its own, in the same memory, as long as one of them updates at a time. It must
   * have been made with the same options, as functions among them cannot be shared.
   *
   * @param variables of the same names as those there, by `Variable.from`.
   * @throws TypeError for what `share` did not give, what `restore` throws for state that does not fit, and Error when
   * there are averages here already; with nothing changed.
   */
  adopt(handle: AveragesHandle, variables: Iterable<Variable> = []): this {
    checkHandle(handle, 'gradstep/averages');
    if (this.ofVariables.size + this.ofNames.size > 0) {
      throw new Error(`averages '${this.name}' have been made already: another thread's are for new ones to adopt`);
    }
    adoptState(this, handle.state, variablesOf('variables', variables));
    return this;
  }

  planRestore(source: StateSource): () => void {
    const steps = [planVariables(source, [...this.ofVariables.values()])];
    for (const debiased of this.ofNames.values()) {
      const { average } = debiased;
      steps.push(planVariables(source, [average]));
      steps.push(debiased.planRestore(source, `${average.name}/updates`, `${average.name}/biased`));
    }
    const ending = `/${this.name}`;
    for (const key of source.unclaimed()) {
      const of = key.slice(0, -ending.length);
      if (of === '' || !key.endsWith(ending) || this.has(of, source)) continue;
      steps.push(source.has(`${key}/updates`) ? this.planNamed(source, of) : this.planOfVariable(source, of));
    }
    return inOrder(steps);
  }

  /** Whether this key's average exists already, and so has been taken. */
  private has(of: string, source: StateSource): boolean {
    if (source.has(`${of}/${this.name}/updates`)) return this.ofNames.has(of);
    return [...this.ofVariables.keys()].some(({ name }) => name === of);
  }

  private planOfVariable(source: StateSource, of: string): () => void {
    const variable = source.variableNamed(of, []);
    const average = newAverage(source, this.averageName(of), variable.dtype, variable.shape);
    return () => this.ofVariables.set(variable, average);
  }

  private planNamed(source: StateSource, of: string): () => void {
    const name = this.averageName(of);
    const average = newAverage(source, name);
    const updates = source.takeCount(`${name}/updates`);
    const biased = this.zeroDebias
      ? newAverage(source, `${name}/biased`, average.dtype, average.shape).data
      : undefined;
    const count = source.replaces ? source.memoryOfCount(`${name}/updates`) : updates;
    const debiased = new DebiasedAverage(average, this.zeroDebias, biased, count);
    return () => this.ofNames.set(of, debiased);
  }

  /** Checks one of the values and puts it where it belongs. */
  private classify(value: unknown, variables: Set<Variable>, named: Map<string, Tensor>): void {
    if (value instanceof Variable) {
      if (variables.has(value)) throw new Error(`variable '${value.name}' occurs twice`);
      void value.data; // throws when its memory is gone
      value.checkQuiet();
      variables.add(value);
      return;
    }
    const [name, tensor] = Array.isArray(value) ? (value as readonly unknown[]) : [];
    if (typeof name !== 'string' || !isTensor(tensor)) {
      throw new TypeError(`values must hold Variables and [name, Tensor] pairs, got ${shown(value)}`);
    }
    checkFloats(`value of '${name}'`, tensor);
    if (named.has(name)) throw new Error(`'${name}' occurs twice`);
    tensor.memory.locate(); // as for a variable
    const { average } = this.ofNames.get(name) ?? {};
    if (average !== undefined) checkLike(`value of '${name}'`, tensor, average);
    named.set(name, tensor);
  }

  private averageOf(variable: Variable): FloatArray {
    let average = this.ofVariables.get(variable);
    if (average === undefined) {
      average = zeros(this.averageName(variable), variable);
      average.data.set(variable.data);
      this.ofVariables.set(variable, average);
    }
    return average.data;
  }

  private averageOfName(name: string, value: Tensor): DebiasedAverage {
    let average = this.ofNames.get(name);
    if (average === undefined) {
      average = new DebiasedAverage(zeros(this.averageName(name), value), this.zeroDebias);
      this.ofNames.set(name, average);
    }
    return average;
  }
}

/** An average that does not exist yet, from the source. @param dtype default: that of the source. */
function newAverage(source: StateSource, key: string, dtype?: DType, shape?: Shape): Variable {
  const entry = source.find(key, dtype ?? 'float', shape);
  const memory = source.memoryOf(entry, () => sharedArray(entry.dtype, lengthOf(entry.memory)));
  return new Variable(memory, { name: key, trainable: false, shape: entry.shape });
}

function iterable(name: string, values: unknown): Iterable<unknown> {
  if (isIterable(values)) return values;
  throw new TypeError(`${name} must be an iterable, got ${shown(values)}`);
}

function variablesOf(name: string, values: unknown): Variable[] {
  return [...iterable(name, values)].map((value) => {
    if (value instanceof Variable) return value;
    throw new TypeError(`${name} must hold Variables, got ${shown(value)}`);
  });
}
