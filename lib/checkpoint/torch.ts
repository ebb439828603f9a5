import { Optimizer, restoreState, Variable } from 'gradstep';
import { checkRange, isIterable, isWhole, shown } from '../checks';
import { checkOptions, type NamesOf } from '../options';
import type { Settings } from '../step/settings';
import type { Mechanism } from '../step/plan';
import type { FloatArray } from '../tensor/dtype';
import type { StateEntry, StateMemory } from '../tensor/state';
import { torchStates, type TorchState } from './torch-names';

/** Whose state goes to PyTorch, or comes from there. */
export interface TorchParts {
  /** Those that the optimizer has state of. PyTorch's parameters must have their names and shapes. */
  readonly variables: Iterable<Variable>;
  /** Wrapped or not: the state is that of the one inside. */
  readonly optimizer: Optimizer;
}

export interface ToTorchOptions {
  /** Steps so far, where the optimizer has nothing that tells. Default: what the powers of Adam's betas say. */
  readonly step?: number;
}

/** A tensor of PyTorch's state, for `writeSafetensors`. */
export interface TorchTensor {
  readonly shape: readonly number[];
  readonly data: FloatArray;
}

/** An array of elements, or an object with one: what a reader of safetensors gives. */
export type TorchSource = StateMemory | { readonly data: StateMemory };

const toTorchOptions: NamesOf<ToTorchOptions> = { step: true };

interface Own {
  readonly mechanism: Mechanism;
  readonly torch: TorchState;
  readonly variables: readonly Variable[];
  /** Of all groups that the variables are in. */
  readonly settings: readonly Settings[];
}

function own({ variables, optimizer }: TorchParts): Own {
  if (!isIterable(variables))
    throw new TypeError(`variables must be an iterable of Variables, got ${shown(variables)}`);
  const list = [...variables];
  for (const variable of list as unknown[]) {
    if (!(variable instanceof Variable)) throw new TypeError(`variables must hold Variables, got ${shown(variable)}`);
  }
  const mechanism = mechanismOf(optimizer);
  const torch = torchStates[mechanism.rule.name];
  if (torch === undefined) {
    throw new TypeError(`optimizer must be one that PyTorch has with the same state, got ${shown(optimizer)}`);
  }
  const settings = [...new Set(list.map((variable) => mechanism.settingsByVariable.of(variable)))];
  return { mechanism, torch, variables: list, settings };
}

function mechanismOf(optimizer: unknown): Mechanism {
  const { mechanism, optimizer: inner } = (optimizer ?? {}) as { mechanism?: Mechanism; optimizer?: unknown };
  if (mechanism !== undefined) return mechanism;
  if (optimizer instanceof Optimizer && optimizer.sharding() !== null) {
    throw new TypeError(
      'optimizer has shardState, so that no rank has all of its state: restore a checkpoint of it without that',
    );
  }
  if (inner !== undefined) return mechanismOf(inner);
  throw new TypeError(`optimizer must be an Optimizer of gradstep, got ${shown(optimizer)}`);
}

function numberOf(settings: Settings, name: string): number {
  const value = settings.described[name];
  if (typeof value === 'number') return value;
  throw new TypeError(`${name} must be a number for PyTorch's state to be made of ours, it is ${shown(value)}`);
}

const keyOf = (name: string, { group }: Settings): string => (group === 0 ? name : `${name}_${group}`);

/** By what a slot here is multiplied to be that of PyTorch; 0 where it has no meaning. */
function factorOf({ withRate }: TorchState, slot: string, settings: Settings): number {
  if (withRate?.slot !== slot) return 1;
  return numberOf(settings, withRate.unless) === 0 ? 0 : 1 / numberOf(settings, 'learningRate');
}

/**
 * The state of an optimizer as PyTorch has it: `state.<variable>.exp_avg`, `exp_avg_sq`, `step` and so on, for Adam, AdamW,
 * AMSGrad, Adamax, Momentum (`torch.optim.SGD`), Adagrad, Adadelta and RMSProp.
 *
 * RMSProp's momentum has the learning rate in it here and not there, and is divided by it; all others are copies.
 *
 * @returns tensors by name, for `writeSafetensors`.
 * @throws TypeError for another optimizer, or a hyperparameter that is a schedule where its value is needed; Error for variables
 * without state, and where `step` must be given.
 * @example
 * import { toTorch } from 'gradstep/checkpoint';
 *
 * const tensors = toTorch({ variables: [w], optimizer });
 */
export function toTorch(parts: TorchParts, options: ToTorchOptions = {}): Map<string, TorchTensor> {
  checkOptions('options', options, toTorchOptions);
  if (options.step !== undefined) checkRange('step', options.step, 'a whole number that is not negative', isWhole);
  const { mechanism, torch, variables } = own(parts);
  const scalars = new Map(parts.optimizer.state().map((entry) => [entry.key, entry]));
  const tensors = new Map<string, TorchTensor>();
  for (const variable of variables) {
    const settings = mechanism.settingsByVariable.of(variable);
    for (const [slot, name] of Object.entries(torch.slots)) {
      const factor = factorOf(torch, slot, settings);
      if (factor === 0) continue;
      const memory = mechanism.slots.get(variable, slot)?.data;
      if (memory === undefined) throw new Error(`optimizer has no state of '${variable.name}' yet`);
      const data = factor === 1 ? memory.slice() : memory.map((x: number) => x * factor);
      tensors.set(`state.${variable.name}.${name}`, { shape: variable.shape, data });
    }
    if (!torch.hasStep) continue;
    const step = options.step ?? stepsOf(torch, settings, scalars);
    tensors.set(`state.${variable.name}.step`, { shape: [], data: Float32Array.of(step) });
  }
  return tensors;
}

/** β^(t + 1) says what t is, as long as it is a number that has bits left. */
function stepsOf({ powersOf }: TorchState, settings: Settings, scalars: ReadonlyMap<string, StateEntry>): number {
  for (const name of [...powersOf].reverse()) {
    const beta = numberOf(settings, name);
    const power = Number(scalars.get(keyOf(`${name}_power`, settings))?.memory[0] ?? 0);
    if (beta > 0 && power > 1e-300) return Math.round(Math.log(power) / Math.log(beta)) - 1;
  }
  throw new Error('how many steps have been made cannot be told from the state: give it in { step }');
}

/**
 * Takes over what a PyTorch optimizer has, under the names of `toTorch`. When it throws, nothing has changed.
 *
 * @param tensors by name, as read from a file: `state.<variable>.exp_avg` and so on. Those of other names are refused.
 * @throws what `toTorch` throws; Error for missing and unknown names, all of which it lists; RangeError for another size, or steps that
 * differ between variables of one group, or are no whole numbers.
 * @example
 * import { fromTorch } from 'gradstep/checkpoint';
 *
 * const zeros = new Float32Array(w.size);
 * fromTorch(
 *   { [`state.${w.name}.exp_avg`]: zeros, [`state.${w.name}.exp_avg_sq`]: zeros, [`state.${w.name}.step`]: Float32Array.of(3) },
 *   { variables: [w], optimizer },
 * );
 */
export function fromTorch(
  tensors: Readonly<Record<string, TorchSource>> | Iterable<readonly [name: string, tensor: TorchSource]>,
  parts: TorchParts,
): void {
  const { mechanism, torch, variables, settings } = own(parts);
  const given = arraysOf(tensors);
  const expected = new Set<string>();
  const take = (name: string): StateMemory | undefined => {
    expected.add(name);
    return given.get(name);
  };
  const missing: string[] = [];
  const entries: StateEntry[] = [];
  const steps = new Map<Settings, number>();
  for (const variable of variables) {
    const own = mechanism.settingsByVariable.of(variable);
    for (const { name: slot, key } of mechanism.slots.namesAndKeys(variable)) {
      const name = `state.${variable.name}.${torch.slots[slot]!}`;
      const factor = factorOf(torch, slot, own);
      const array = take(name);
      if (array === undefined && factor !== 0) missing.push(name);
      else entries.push(slotEntry(name, key, variable, factor === 0 ? undefined : array, 1 / factor));
    }
    if (!torch.hasStep) continue;
    const name = `state.${variable.name}.step`;
    const step = take(name);
    if (step === undefined) missing.push(name);
    else noteStep(steps, own, name, step);
  }
  const unknown = [...given.keys()].filter((name) => !expected.has(name));
  if (missing.length > 0 || unknown.length > 0) {
    throw new Error(`state of PyTorch lacks ${listOf(missing)} and has ${listOf(unknown)} beside what is expected`);
  }
  for (const each of settings) {
    for (const name of torch.powersOf) entries.push(powerEntry(name, each, steps.get(each)!));
  }
  const inner = optimizerOf(parts.optimizer);
  restoreState([inner], entries, { variables });
}

const listOf = (names: readonly string[]): string =>
  names.length === 0 ? 'nothing' : names.slice(0, 20).join(', ') + (names.length > 20 ? ', ...' : '');

function optimizerOf(optimizer: Optimizer): Optimizer {
  const { mechanism, optimizer: inner } = optimizer as { mechanism?: Mechanism; optimizer?: Optimizer };
  return mechanism === undefined && inner !== undefined ? optimizerOf(inner) : optimizer;
}

function arraysOf(tensors: unknown): Map<string, StateMemory> {
  if (typeof tensors !== 'object' || tensors === null) {
    throw new TypeError(`tensors must be an object or a Map of arrays by name, got ${shown(tensors)}`);
  }
  const pairs = isIterable(tensors) ? [...(tensors as Iterable<[string, unknown]>)] : Object.entries(tensors);
  return new Map(
    pairs.map(([name, tensor]) => {
      const data: unknown = ArrayBuffer.isView(tensor) ? tensor : (tensor as { data?: unknown } | null)?.data;
      if (!ArrayBuffer.isView(data) || data instanceof DataView) {
        throw new TypeError(`tensor ${shown(name)} must be a typed array or have one as data, got ${shown(tensor)}`);
      }
      return [name, data as StateMemory];
    }),
  );
}

/** @param array undefined for zeros. */
function slotEntry(
  name: string,
  key: string,
  { dtype, shape, size }: Variable,
  array: StateMemory | undefined,
  factor: number,
): StateEntry {
  const memory = dtype === 'float32' ? new Float32Array(size) : new Float64Array(size);
  if (array !== undefined && array.length !== size) {
    throw new RangeError(`${shown(name)} must have ${size} elements, got ${array.length}`);
  }
  for (let i = 0; array !== undefined && i < size; i++) memory[i] = Number(array[i]) * factor;
  return { key, dtype, shape, memory };
}

function noteStep(steps: Map<Settings, number>, settings: Settings, name: string, array: StateMemory): void {
  const step = Number(array[0]);
  if (array.length !== 1 || !isWhole(step)) {
    throw new RangeError(
      `${shown(name)} must be one whole number that is not negative, got ${array.length} of ${step}`,
    );
  }
  const other = steps.get(settings) ?? step;
  if (other !== step) {
    throw new RangeError(
      `${shown(name)} is ${step}, and another variable's is ${other}: here steps are counted together`,
    );
  }
  steps.set(settings, step);
}

/** Multiplied step by step, so that it has the bits of an optimizer that has made them. */
function powerEntry(name: string, settings: Settings, steps: number): StateEntry {
  const beta = numberOf(settings, name);
  let power = beta;
  for (let i = 0; i < steps && power > 0; i++) power *= beta;
  return { key: keyOf(`${name}_power`, settings), dtype: 'float64', shape: [], memory: Float64Array.of(power) };
}
