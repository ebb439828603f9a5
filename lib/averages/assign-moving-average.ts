import { checkOptions, type NamesOf } from '../options';
import { binary } from '../ops/primitives';
import { checkLike, DebiasedAverage, decayAt, moveToward } from './averages';
import { checkBoolean, shown } from '../checks';
import { isFloatArray, newArray, sharedArray } from '../tensor/arrays';
import type { DType, FloatArray } from '../tensor/dtype';
import { ExponentialMovingAverage } from './moving-average';
import { checkSchedule, fraction, type Schedule } from '../schedules/schedule';
import { restoreState } from '../tensor/restore-state';
import { type RestoreOptions, type StateEntry, type Stateful, type StateSource } from '../tensor/state';
import { alias, aliasOfGiven, checkFloats, isTensor, Tensor } from '../tensor/tensor';
import { Variable } from '../tensor/variable';

/** What makes up for a variable's average having started from 0. */
const biases = new WeakMap<Variable, DebiasedAverage>();

export interface AssignMovingAverageOptions {
  /** Make up for having started from 0: the variable then is the average of the values given so far, whatever it was
   * before. Default: true. */
  zeroDebias?: boolean;
  /** Accepted for TensorFlow's sake. */
  name?: string;
}

const assignNames: NamesOf<AssignMovingAverageOptions> = { zeroDebias: true, name: true };

/**
 * variable ← variable − (1 − decay)(variable − value); with `zeroDebias`, the same of a hidden average that starts
 * from 0, divided by 1 − decayᵗ after t calls.
 *
 * @param value of the variable's shape.
 * @returns the variable.
 * @throws TypeError for a wrong kind, RangeError for another shape or a decay outside [0, 1].
 * Source: `tensorflow.python.training.moving_averages.assign_moving_average`.
 */
export function assignMovingAverage(
  variable: Variable,
  value: Tensor | Variable | FloatArray,
  decay: Schedule,
  options: AssignMovingAverageOptions = {},
): Variable {
  if (!(variable instanceof Variable)) throw new TypeError(`variable must be a Variable, got ${shown(variable)}`);
  variable.checkQuiet();
  checkSchedule('decay', decay, fraction);
  checkOptions('options', options, assignNames);
  const { zeroDebias = true } = options;
  checkBoolean('zeroDebias', zeroDebias);
  const values = isFloatArray(value)
    ? aliasOfGiven(value, value.length === variable.size ? variable.shape : undefined)
    : value;
  if (!(values instanceof Tensor) && !(values instanceof Variable)) {
    throw new TypeError(`value must be a Tensor, a Variable or a typed array, got ${shown(value)}`);
  }
  if (values instanceof Tensor) checkFloats('value', values);
  checkLike('value', values, variable);
  const d = decayAt(decay, undefined);
  let average = zeroDebias ? biases.get(variable) : undefined;
  if (zeroDebias && average === undefined) biases.set(variable, (average = new DebiasedAverage(variable, true)));
  moveToward([{ dtype: variable.dtype, average: average?.summed ?? variable.data, value: values.data }], d);
  average?.updated(d);
  return variable;
}

/**
 * What `assignMovingAverage` with `zeroDebias` keeps of a variable beside its value: `<name>/biased`, the average that
 * started from 0, and `<name>/local_step`, how many values it is of. Nothing before the first call.
 *
 * Restoring from no entries forgets both. The variable's value is state of the variable.
 *
 * @throws TypeError for another kind.
 * @example
 * assignMovingAverage(v, x, 0.9);
 * const entries = collectState([v, movingAverageState(v)]);
 */
export function movingAverageState(variable: Variable): Stateful {
  if (!(variable instanceof Variable)) throw new TypeError(`variable must be a Variable, got ${shown(variable)}`);
  const { name, dtype, size, shape } = variable;
  const [biasedKey, stepKey] = [`${name}/biased`, `${name}/local_step`];
  const own: Stateful = {
    state: () => biases.get(variable)?.state(stepKey, biasedKey) ?? [],
    restore: (entries, options) => restoreState([own], entries, options),
    planRestore(source: StateSource): () => void {
      if (!source.has(biasedKey) && !source.has(stepKey)) return () => void biases.delete(variable);
      void variable.data; // throws when its memory is gone
      const existing = biases.get(variable);
      if (existing !== undefined) return existing.planRestore(source, stepKey, biasedKey);
      const updates = source.takeCount(stepKey);
      const biased = source.memoryOf(source.take(biasedKey, dtype, shape), () => sharedArray(dtype, size));
      const average = new DebiasedAverage(variable, true, biased.array, updates);
      return () => void biases.set(variable, average);
    },
  };
  return own;
}

/** A value at the moment, or a function that gives it. */
export type ValueSource = number | Tensor | (() => number | Tensor);

/** One update, giving the weighted average so far; its state is that of both averages. */
export type WeightedMovingAverage = (() => Tensor) & Stateful;

/**
 * The moving average of `value`, weighted: average(value · weight) / average(weight), both from 0.
 *
 * @param value is asked at each update; its shape must stay what it was.
 * @param weight is asked at each update; broadcasts with value.
 * @returns a function: each call is one update, and gives the weighted average so far in a tensor of its own.
 * @throws TypeError for a wrong kind, RangeError for shapes that do not broadcast or a decay outside [0, 1].
 * Source: `tensorflow.python.training.moving_averages.weighted_moving_average`.
 * @example
 * const batch = { loss: 0, size: 0 };
 * const averageLoss = weightedMovingAverage(() => batch.loss, 0.99, () => batch.size);
 */
export function weightedMovingAverage(value: ValueSource, decay: Schedule, weight: ValueSource): WeightedMovingAverage {
  checkSchedule('decay', decay, fraction);
  const averages = new ExponentialMovingAverage(decay, { name: 'WeightedMovingAverage' });
  const update = (): Tensor => {
    const given = [value, weight].map((source) => (typeof source === 'function' ? source() : source)) as unknown[];
    const first = given.find(isTensor);
    if (first !== undefined) checkFloats('value or weight', first);
    const dtype = first?.dtype ?? 'float64';
    const [v, w] = [toScalarOrTensor('value', given[0], dtype), toScalarOrTensor('weight', given[1], dtype)];
    if (v.dtype !== w.dtype) throw new TypeError(`value is ${v.dtype} and weight is ${w.dtype}; they must be the same`);
    const product = binary('multiply', v, w);
    averages.apply([
      ['value', product],
      ['weight', w],
    ]);
    product.dispose();
    return binary('divide', averages.average('value')!.value, averages.average('weight')!.value);
  };
  return Object.assign(update, {
    state: (): StateEntry[] => averages.state(),
    restore: (entries: Iterable<StateEntry>, options?: RestoreOptions): void => averages.restore(entries, options),
    planRestore: (source: StateSource): (() => void) => planBoth(averages, source),
  });
}

/** Both averages, or before the first update neither. */
function planBoth(averages: ExponentialMovingAverage, source: StateSource): () => void {
  const keys = ['value', 'weight'].map((of) => averages.averageName(of));
  const missing = keys.find((key) => !source.has(key));
  if (missing !== undefined && keys.some((key) => source.has(key))) source.take(missing, 'float');
  return averages.planRestore(source);
}

function toScalarOrTensor(name: string, value: unknown, dtype: DType): Tensor {
  if (isTensor(value)) {
    checkFloats(name, value);
    return value;
  }
  if (typeof value === 'number') return alias(newArray(dtype, 1).fill(value), dtype, []);
  throw new TypeError(`${name} must be a number or a Tensor, got ${shown(value)}`);
}
