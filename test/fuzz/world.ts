import {
  DynamicLossScale,
  IndexedSlices,
  runtime,
  Tensor,
  type ConditionalAccumulator,
  type ExponentialMovingAverage,
  type FloatArray,
  type GlobalStep,
  type Gradient,
  type GradientAccumulator,
  type GradientAndVariable,
  type LossScale,
  type Optimizer,
  type StateEntry,
  type Stateful,
  type SparseConditionalAccumulator,
  type SyncReplicasOptimizer,
  type Variable,
} from 'gradstep';
import { rangeOf, type Range } from './memory';
import { faultOf } from './nonsense';
import {
  anything,
  forbiddenChanges,
  gone,
  isEqual,
  seenMemory,
  type Allowed,
  type Family,
  type Seen,
  type Snapshot,
} from './snapshot';

/** Something of the world, with the key by which snapshots and the log call it. */
export interface Held<T> {
  readonly key: string;
  readonly value: T;
}

export interface HeldGradient<T> extends Held<T> {
  readonly family: Family;
}

export interface HeldList extends Held<GradientAndVariable[]> {
  /** One for each pair. */
  readonly families: readonly Family[];
}

export interface HeldOptimizer extends Held<Optimizer> {
  /** What a step of plain numbers is checked with, if it is so simple. */
  readonly rule?: { readonly learningRate: number; readonly momentum: number | null } | undefined;
  /** The key of the optimizer inside of wrappers, its own where there is none: those with one root share their state. */
  readonly root: string;
  /** What else its steps change: keys of a loss scale, averages. */
  readonly also: readonly string[];
  readonly isWrapper: boolean;
}

/** What the fuzzer has found to be wrong. */
export class Violation extends Error {}

export type Outcome<T> = { readonly value: T } | { readonly error: unknown };

/** What has state. */
export type Part = HeldOptimizer | Held<Stateful>;

const most = 8;

const isSlot = ({ name }: Variable): boolean => name.includes('/');

/** All that a row of calls works on, and what can be seen of it. */
export class World {
  readonly arrays: HeldGradient<FloatArray>[] = [];
  readonly variables: HeldGradient<Variable>[] = [];
  readonly tensors: HeldGradient<Tensor>[] = [];
  readonly slices: HeldGradient<IndexedSlices>[] = [];
  readonly lists: HeldList[] = [];
  readonly optimizers: HeldOptimizer[] = [];
  readonly replicas: Held<SyncReplicasOptimizer>[] = [];
  readonly steps: Held<GlobalStep>[] = [];
  readonly averages: Held<ExponentialMovingAverage>[] = [];
  readonly scales: Held<LossScale>[] = [];
  readonly accumulators: Held<GradientAccumulator>[] = [];
  readonly conditionals: Held<ConditionalAccumulator | SparseConditionalAccumulator>[] = [];
  /** State that was saved, and whose it was. */
  readonly states: Held<{ readonly parts: readonly Part[]; readonly entries: StateEntry[] }>[] = [];
  /** Lists of pairs that calls are in the middle of. */
  readonly pairsInUse: GradientAndVariable[][] = [];
  /** What has been called, in words. */
  readonly log: string[] = [];
  /** How many user functions have done something. */
  effects = 0;
  /** How deep calls are inside of calls. */
  get depth(): number {
    return this.before.length;
  }
  private violation: Violation | undefined;
  /** What could be seen before each call that is going on. */
  private readonly before: Snapshot[] = [];
  private made = 0;

  /** Takes something up; the oldest goes where there are many. */
  add<H extends Held<unknown>>(into: H[], kind: string, value: H['value'], rest?: Omit<H, 'key' | 'value'>): H {
    const held = { ...rest, key: `${kind}${this.made++}`, value } as unknown as H;
    into.push(held);
    if (into.length > most) this.forget(into.shift()!.key);
    return held;
  }

  /** What goes out of the world in the middle of a call is not looked at after it. */
  private forget(key: string): void {
    for (const before of this.before) {
      for (const name of [...before.keys()]) if (name === key || name.startsWith(`${key}.`)) before.delete(name);
    }
  }

  addArray(array: FloatArray): HeldGradient<FloatArray> {
    return this.add(this.arrays, 'array', array, { family: { isSpent: false } });
  }

  /**
   * Makes a call and looks whether it did what it may: all that is allowed, or when it throws, nothing.
   * @param allowed is read after the call.
   */
  call<T>(what: string, f: () => T, allowed: Allowed = {}, whenThrown: Allowed = {}): Outcome<T> {
    const depth = this.depth;
    this.log.push(`${'  '.repeat(depth)}${what}`);
    const before = this.snapshot();
    this.before.push(before);
    let outcome: Outcome<T>;
    try {
      outcome = { value: f() };
    } catch (error) {
      outcome = { error };
    } finally {
      this.before.pop();
    }
    this.rethrow();
    const place = this.log.length;
    if ('error' in outcome) {
      const { error } = outcome;
      this.log.push(`${'  '.repeat(depth)}  threw ${nameOf(error)}`);
      const fault = faultOf(error);
      if (fault !== undefined) this.fail(`${what} threw ${nameOf(error)}: ${fault}\n${(error as Error).stack ?? ''}`);
    }
    const changes = forbiddenChanges(before, this.snapshot(), 'error' in outcome ? whenThrown : allowed);
    if (changes.length > 0) {
      const how = 'error' in outcome ? `threw ${nameOf(outcome.error)}, but it has changed` : 'has changed';
      this.fail(`call ${place}: ${what} ${how}\n  ${changes.join('\n  ')}`);
    }
    return outcome;
  }

  /**
   * Does what a user's function does in the middle of calls: what it changes is no fault of theirs.
   * @param isUndone whether a step that is refused afterwards may put back what was there before.
   */
  effect(what: string, f: () => void, isUndone = false): void {
    this.effects++;
    this.log.push(`${'  '.repeat(this.depth)}(${what})`);
    const start = this.snapshot();
    try {
      f();
    } finally {
      const end = this.snapshot();
      for (const before of this.before) {
        for (const key of new Set([...start.keys(), ...end.keys()])) {
          const [was, is] = [start.get(key), end.get(key)];
          if (is === undefined) before.delete(key);
          else if (key.endsWith('.slots'))
            before.set(key, anything); // those of the steps around it may go again
          else if (was === undefined || !isEqual(was, is)) before.set(key, isUndone ? anything : is);
        }
      }
    }
  }

  /** Notes what is wrong; also where a user's function finds it, whose errors may be caught on their way. */
  fail(message: string): never {
    this.violation ??= new Violation(message);
    throw this.violation;
  }

  /** Throws what was noted. */
  rethrow(): void {
    if (this.violation !== undefined) throw this.violation;
  }

  snapshot(): Snapshot {
    const seen: Snapshot = new Map();
    const see = (key: string, look: () => Seen | string): void => {
      let found: Seen;
      try {
        const value = look();
        found = typeof value === 'string' ? { text: value } : value;
      } catch {
        found = { text: gone };
      }
      seen.set(key, found);
    };
    see('runtime', () => `${runtime.isa} ${runtime.threads}`);
    for (const { key, value, family } of this.arrays) see(key, () => seenMemory(value, family));
    for (const { key, value, family } of this.variables) see(key, () => seenMemory(value.data, family));
    for (const { key, value, family } of this.tensors) see(key, () => seenTensor(value, family));
    for (const { key, value, family } of this.slices) {
      see(key, () => seenTensor(value.values, family));
      see(`${key}.indices`, () => seenMemory(value.indices));
    }
    for (const { key, value, families } of this.lists) {
      see(`${key}.length`, () => `${value.length}`);
      value.forEach((pair, i) => see(`${key}.${i}`, () => seenGradient(pair[0], families[i]!)));
    }
    for (const { key, value } of this.optimizers) {
      see(key, () => value.getName());
      // Which slots there are the state tells; here, that there are names where there are slots.
      see(`${key}.slots`, () => String(value.getSlotNames().length > 0 === value.variables().some(isSlot)));
      const state = namesCounted(safely(() => value.variables(), []));
      for (const [name, variable] of state) see(`${key}.state ${name}`, () => seenVariable(variable));
    }
    for (const { key, value } of this.replicas) {
      const replicas = Array.from({ length: value.totalNumReplicas }, (_, i) => i);
      const shown = (i: number): string => `${value.localStep(i)}${value.isWaiting(i) ? ' waits' : ''}`;
      see(`${key}.replicas`, () => `${value.tokens.join()}; ${replicas.map(shown).join()}`);
    }
    for (const { key, value } of this.steps) see(key, () => `${value.value}`);
    for (const { key, value } of this.averages) {
      see(key, () => value.name);
      for (const of of [...this.variables, { key: 'a', value: 'a' }]) {
        const average = value.average(of.value);
        if (average !== null) see(`${key}.of ${of.key}`, () => seenVariable(average));
      }
    }
    for (const { key, value } of this.scales) see(key, () => shownScale(value));
    for (const { key, value } of this.accumulators) see(key, () => `${value.count}`);
    for (const { key, value } of this.conditionals) see(key, () => `${value.numAccumulated()} at ${value.globalStep}`);
    return seen;
  }

  /** Keys of loss scales, each of which may be that of several optimizers. */
  scaleKeys(): string[] {
    const states = ['good_steps', 'current_loss_scale'];
    const wrappers = this.optimizers.filter(({ isWrapper }) => isWrapper);
    const keys = wrappers.flatMap(({ key }) => states.map((name) => `${key}.state ${name}#`));
    return [...keys, ...this.scales.map(({ key }) => key)];
  }

  /** The bytes of these variables, as far as they are there. */
  rangesOf(variables: readonly Variable[]): Range[] {
    return variables.flatMap((variable) => safely(() => [rangeOf(variable.data)], []));
  }
}

export function safely<T>(f: () => T, otherwise: T): T {
  try {
    return f();
  } catch {
    return otherwise;
  }
}

export function nameOf(error: unknown): string {
  return error instanceof Error ? `${error.constructor.name}: ${error.message}` : typeof error;
}

function shownScale(scale: LossScale): string {
  return scale instanceof DynamicLossScale ? `${scale.value} after ${scale.goodSteps}` : `${scale.value}`;
}

function seenVariable(variable: Variable): Seen {
  return seenMemory(variable.data);
}

function seenTensor(tensor: Tensor, family: Family): Seen {
  if (tensor.isDisposed) return { text: gone, family };
  return seenMemory(tensor.data, family);
}

function seenGradient(gradient: Gradient | FloatArray | null, family: Family): Seen {
  if (gradient === null) return { text: 'null' };
  if (gradient instanceof Tensor) return seenTensor(gradient, family);
  return gradient instanceof IndexedSlices ? seenTensor(gradient.values, family) : seenMemory(gradient, family);
}

/** Variables may have one name: then they are numbered, in their order. */
function namesCounted(variables: readonly Variable[]): [string, Variable][] {
  const counts = new Map<string, number>();
  return variables.map((variable) => {
    const count = counts.get(variable.name) ?? 0;
    counts.set(variable.name, count + 1);
    return [`${variable.name}#${count}`, variable];
  });
}
