import { newArray, sharedArray, sharedCounts } from '../tensor/arrays';
import { dtypes, type DType, type FloatArray } from '../tensor/dtype';
import { binaryFunction, native } from '../native';
import { fraction, valueOf, type Schedule } from '../schedules/schedule';
import { stepOf, type StepSource } from '../schedules/step-source';
import { Memory } from '../tensor/memory';
import { overwrite } from '../tensor/overwrite';
import { sameShape, showShape, type Shape } from '../tensor/shape';
import type { StateEntry, StateSource } from '../tensor/state';
import type { Tensor } from '../tensor/tensor';
import { Variable } from '../tensor/variable';

// What moving averages are made with; moving-average.ts and assign-moving-average.ts are for users.

/** An average that is to be updated, and by what, which has the same dtype. */
export interface Update {
  readonly dtype: DType;
  readonly average: FloatArray;
  readonly value: FloatArray;
}

/** average ← average − (1 − d)(average − value) for all; those of one dtype in one native call. */
export function moveToward(updates: readonly Update[], decay: number): void {
  for (const dtype of dtypes) {
    const own = updates.filter((update) => update.dtype === dtype);
    if (own.length === 0) continue;
    native.moveToward(
      own.map(({ average }) => average),
      own.map(({ value }) => value),
      1 - decay,
    );
  }
}

/** d at the moment. @throws TypeError or RangeError when a function gives what it may not be. */
export function decayAt(decay: Schedule, numUpdates: StepSource | undefined): number {
  const d = valueOf('decay', decay, fraction);
  if (numUpdates === undefined) return d;
  const n = stepOf(numUpdates, undefined, 'numUpdates');
  return Math.min(d, (1 + n) / (10 + n));
}

/** A variable of zeros. */
export function zeros(
  name: string,
  like: { readonly dtype: DType; readonly size: number; readonly shape: Shape },
): Variable {
  const memory = Memory.of(sharedArray(like.dtype, like.size), like.dtype);
  return new Variable(memory, { name, trainable: false, shape: like.shape });
}

/** @throws TypeError for another dtype, RangeError for another shape. */
export function checkLike(what: string, value: Tensor | Variable, { dtype, shape }: Variable): void {
  if (value.dtype !== dtype) throw new TypeError(`${what} is ${value.dtype}, expected ${dtype}`);
  if (!sameShape(value.shape, shape)) {
    throw new RangeError(`${what} has shape ${showShape(value.shape)}, expected ${showShape(shape)}`);
  }
}

/** An average that starts from 0, and what it takes to make up for that. */
export class DebiasedAverage {
  /** What the updates go to: the average itself, or the biased one that it is made of. */
  readonly summed: FloatArray;
  private readonly share: FloatArray;
  private readonly updates: BigInt64Array;

  /**
   * @param summed the biased average, where the average makes up for having started from 0.
   * @param updates how many have been made.
   */
  constructor(
    readonly average: Variable,
    private readonly zeroDebias: boolean,
    summed: FloatArray = zeroDebias ? sharedArray(average.dtype, average.size) : average.data,
    updates: number | BigInt64Array = 0,
  ) {
    this.summed = summed;
    this.updates = typeof updates === 'number' ? sharedCounts([updates]) : updates;
    this.share = newArray(average.dtype, 1);
  }

  /** After an update: average = biased / (1 − dᵗ), which for a single one is the value itself. */
  updated(decay: number): void {
    const updates = ++this.updates[0]!;
    if (!this.zeroDebias) return;
    this.share[0] = -Math.expm1(Number(updates) * Math.log(decay)); // 1 − dᵗ, also for a d close to 1
    native.binary(binaryFunction.divide, this.average.data, this.summed, this.share);
  }

  /** What is beside the average's own value: the number of updates and the biased average. */
  state(updatesKey: string, biasedKey: string): StateEntry[] {
    const { dtype, shape } = this.average;
    const biased = { key: biasedKey, dtype, shape, memory: this.summed };
    const count: StateEntry = { key: updatesKey, dtype: 'int64', shape: [], memory: this.updates };
    return [count, ...(this.zeroDebias ? [biased] : [])];
  }

  /** Plans to overwrite what `state` lists, and not the average. */
  planRestore(source: StateSource, updatesKey: string, biasedKey: string): () => void {
    const { dtype, shape } = this.average;
    const updates = source.takeCount(updatesKey);
    const biased = this.zeroDebias ? source.take(biasedKey, dtype, shape).memory : null;
    return () => {
      this.updates[0] = BigInt(updates);
      if (biased !== null) overwrite(this.summed, biased);
    };
  }
}
