import { sharedArray, newArray } from '../tensor/arrays';
import type { DType, FloatArray } from '../tensor/dtype';
import { binaryFunction, native } from '../native';
import { fraction, valueOf, type Schedule } from '../schedules/schedule';
import { stepOf, type StepSource } from '../schedules/step-source';
import { sameShape, showShape, type Shape } from '../tensor/shape';
import type { Tensor } from '../tensor/tensor';
import { Variable } from '../tensor/variable';

// What moving averages are made with; moving-average.ts and assign-moving-average.ts are for users.

/** An average that is to be updated, and by what. */
export type Update = readonly [average: FloatArray, value: FloatArray];

/** average ← average − (1 − d)(average − value) for all; those of one dtype in one native call. */
export function moveToward(updates: readonly Update[], decay: number): void {
  for (const Kind of [Float32Array, Float64Array]) {
    const own = updates.filter(([average]) => average instanceof Kind);
    if (own.length === 0) continue;
    native.moveToward(
      own.map(([average]) => average),
      own.map(([, value]) => value),
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
  return new Variable(sharedArray(like.dtype, like.size), { name, trainable: false, shape: like.shape });
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
  private updates = 0;
  private readonly share: FloatArray;

  constructor(
    readonly average: Variable,
    zeroDebias: boolean,
  ) {
    this.summed = zeroDebias ? newArray(average.dtype, average.size) : average.data;
    this.share = newArray(average.dtype, 1);
  }

  /** average = biased / (1 − dᵗ), which for a single update is the value itself. */
  debias(decay: number): void {
    this.updates++;
    this.share[0] = -Math.expm1(this.updates * Math.log(decay)); // 1 − dᵗ, also for a d close to 1
    native.binary(binaryFunction.divide, this.average.data, this.summed, this.share);
  }
}
