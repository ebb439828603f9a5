import { checkOptions, type NamesOf } from '../options';
import { checkRange, isFinitePositive, isWhole, shown, isIterable } from '../checks';
import { sharedArray, isFloatArray } from '../tensor/arrays';
import { dtypes, type DType, type FloatArray } from '../tensor/dtype';
import { IndexedSlices, type Gradient } from '../tensor/indexed-slices';
import { sumsOfSquaresAsync } from '../clip/norm';
import { native } from '../native';
import { writeState } from '../step/commit';
import { Memory } from '../tensor/memory';
import { aliasOfGiven, checkFloats, isTensor, type Tensor } from '../tensor/tensor';
import {
  planVariables,
  restoreParts,
  stateOfVariables,
  type StateEntry,
  type Stateful,
  type StateSource,
} from '../tensor/state';
import { Variable } from '../tensor/variable';

/** Gradients in any of the forms they come in: one, a list of them, or pairs with their variables. */
export type Gradients =
  | Gradient
  | FloatArray
  | null
  | Iterable<Gradient | FloatArray | null | readonly [Gradient | FloatArray | null, Variable]>;

/** By what a loss is multiplied, so that small gradients do not vanish. */
export abstract class LossScale implements Stateful {
  /** The scale at the moment. */
  abstract readonly value: number;

  /** Whether a step may be made of these gradients. Changes nothing. */
  abstract accepts(gradients: Gradients): boolean;

  /** What `accepts` says, looked at off the event loop. The gradients must stay as they are until the promise is settled. */
  acceptsAsync(gradients: Gradients): Promise<boolean> {
    return Promise.resolve(this.accepts(gradients));
  }

  /** Goes on to the next step's scale. @param accepted what `accepts` said of this step's gradients. */
  abstract advance(accepted: boolean): void;

  /** What it keeps from step to step, each under a name of its own. */
  variables(): Variable[] {
    return [];
  }

  /** The variables, by their names: a FixedLossScale has none. */
  state(): StateEntry[] {
    return stateOfVariables(this.variables());
  }

  /** Overwrites the variables. */
  restore(entries: Iterable<StateEntry>): void {
    restoreParts([this], entries);
  }

  planRestore(source: StateSource): () => void {
    return planVariables(source, this.variables());
  }

  /**
   * Goes on to the next step's scale.
   * @param gradients of this step.
   * @returns whether this step may be made.
   */
  update(gradients: Gradients): boolean {
    const accepted = this.accepts(gradients);
    this.advance(accepted);
    return accepted;
  }

  /**
   * A loss scale from a short form: a number is a fixed one, `'dynamic'` a DynamicLossScale.
   * @throws TypeError for anything else.
   * Source: `tf.train.experimental.LossScale`, `loss_scale.get`.
   */
  static get(identifier: LossScale | number | 'dynamic'): LossScale;
  static get(identifier: LossScale | number | 'dynamic' | null | undefined): LossScale | null;
  static get(identifier: LossScale | number | 'dynamic' | null | undefined): LossScale | null {
    if (identifier === null || identifier === undefined) return null;
    if (identifier instanceof LossScale) return identifier;
    if (typeof identifier === 'number') return new FixedLossScale(identifier);
    if (identifier === 'dynamic') return new DynamicLossScale();
    throw new TypeError(`lossScale must be a LossScale, a number or 'dynamic', got ${shown(identifier)}`);
  }
}

/**
 * A loss scale that stays as it is, whatever the gradients are.
 * Source: `tf.train.experimental.FixedLossScale`.
 */
export class FixedLossScale extends LossScale {
  /** @throws TypeError for no number, RangeError unless it is finite and at least 1. */
  constructor(override readonly value: number) {
    super();
    checkRange('lossScale', value, 'finite and at least 1', (x) => x >= 1 && x < Infinity);
  }

  override accepts(_gradients: Gradients): boolean {
    return true;
  }

  override advance(): void {}

  override toString(): string {
    return `FixedLossScale(${this.value})`;
  }
}

export interface DynamicLossScaleOptions {
  /** Default: 2¹⁵. */
  initialLossScale?: number;
  /** After how many steps in a row with finite gradients the scale grows. Default: 2000. */
  incrementPeriod?: number;
  /** Default: 2. */
  multiplier?: number;
}

const dynamicNames: NamesOf<DynamicLossScaleOptions> = {
  initialLossScale: true,
  incrementPeriod: true,
  multiplier: true,
};

/**
 * A loss scale that finds itself: after `incrementPeriod` steps with finite gradients it is multiplied by `multiplier`,
 * unless that overflows float32; after gradients that are not all finite it is divided by it, down to 1 at the least,
 * and the step is to be left out. The scale is a float32.
 *
 * Source: `tf.train.experimental.DynamicLossScale`; Micikevicius et al. 2018.
 */
export class DynamicLossScale extends LossScale {
  readonly incrementPeriod: number;
  readonly multiplier: number;
  private scale: Variable;
  private steps: Variable;

  /**
   * @throws TypeError for a wrong kind, RangeError unless initialLossScale is finite and positive, incrementPeriod a whole
   * number from 1 and multiplier finite and at least 1.
   */
  constructor(options: DynamicLossScaleOptions = {}) {
    super();
    checkOptions('options', options, dynamicNames);
    const { initialLossScale = 2 ** 15, incrementPeriod = 2000, multiplier = 2 } = options;
    checkRange('initialLossScale', initialLossScale, 'positive and within float32', (x) =>
      isFinitePositive(Math.fround(x)),
    );
    checkRange('incrementPeriod', incrementPeriod, 'a whole number from 1', (x) => isWhole(x) && x >= 1);
    checkRange('multiplier', multiplier, 'finite and at least 1', (x) => x >= 1 && x < Infinity);
    this.incrementPeriod = incrementPeriod;
    this.multiplier = multiplier;
    this.scale = scalar('current_loss_scale', 'float32', initialLossScale);
    this.steps = scalar('good_steps', 'float64', 0);
  }

  override get value(): number {
    return this.scale.data[0]!;
  }

  /** Steps with finite gradients since the scale last changed or was to. */
  get goodSteps(): number {
    return this.steps.data[0]!;
  }

  /** Whether all are finite; null counts as finite, of IndexedSlices the stored values. */
  override accepts(gradients: Gradients): boolean {
    return allFinite(valuesOf(gradients));
  }

  override async acceptsAsync(gradients: Gradients): Promise<boolean> {
    return allFiniteAsync(valuesOf(gradients));
  }

  override advance(accepted: boolean): void {
    const { value, multiplier } = this;
    if (!accepted) {
      writeState(this.scale.memory, Math.max(Math.fround(value / multiplier), 1));
      writeState(this.steps.memory, 0);
    } else if (this.goodSteps + 1 < this.incrementPeriod) {
      writeState(this.steps.memory, this.goodSteps + 1);
    } else {
      const next = Math.fround(value * multiplier);
      if (Number.isFinite(next)) writeState(this.scale.memory, next);
      writeState(this.steps.memory, 0);
    }
  }

  override planRestore(source: StateSource): () => void {
    if (!source.replaces) return super.planRestore(source);
    const [scale, steps] = this.variables().map(({ name, dtype }) => {
      const entry = source.take(name, dtype, []);
      return new Variable(source.memoryOf(entry, unreachable), { name, trainable: false, shape: [] });
    });
    return () => {
      this.scale = scale!;
      this.steps = steps!;
    };
  }

  override variables(): Variable[] {
    return [this.scale, this.steps];
  }

  override toString(): string {
    return `DynamicLossScale(${this.value}, ${this.goodSteps} good steps of ${this.incrementPeriod}, multiplier ${this.multiplier})`;
  }
}

// Memory of a source that replaces is taken as it is.
const unreachable = (): never => {
  throw new Error('no memory is made for state that is adopted');
};

function scalar(name: string, dtype: DType, value: number): Variable {
  const memory = Memory.of(sharedArray(dtype, 1).fill(value), dtype);
  return new Variable(memory, { name, trainable: false, shape: [] });
}

function valuesOf(gradients: unknown): Tensor[] {
  const isList =
    typeof gradients === 'object' && gradients !== null && !isFloatArray(gradients) && isIterable(gradients);
  if (!isList) return valuesOfOne(gradients);
  return [...gradients].flatMap((item) =>
    valuesOfOne(Array.isArray(item) && item[1] instanceof Variable ? item[0] : item),
  );
}

function valuesOfOne(gradient: unknown): Tensor[] {
  if (gradient === null) return [];
  if (isTensor(gradient)) {
    checkFloats('a gradient', gradient);
    return [gradient];
  }
  if (gradient instanceof IndexedSlices) return [gradient.values];
  if (isFloatArray(gradient)) return [aliasOfGiven(gradient)];
  throw new TypeError(`gradients must be gradients, a list or pairs of them, got ${shown(gradient)}`);
}

// The square of the largest finite number, as far as that is a number.
const bounds = { float32: (2 - 2 ** -23) ** 2 * 2 ** 254, float64: Number.MAX_VALUE };

/**
 * One pass in which the squares are summed: a sum within bounds has no infinite term, and NaN is never within bounds.
 * Only what is out of bounds is looked at one by one.
 */
function allFinite(tensors: readonly Tensor[]): boolean {
  return dtypes.every((dtype) => {
    const own = tensors.filter((tensor) => tensor.dtype === dtype);
    if (own.length === 0) return true;
    const factors = Float64Array.from(own, ({ factor }) => factor);
    const arrays = own.map(({ raw }) => raw);
    return native.sumOfSquares(arrays, factors) <= bounds[dtype] || areFinite(own);
  });
}

async function allFiniteAsync(tensors: readonly Tensor[]): Promise<boolean> {
  const sums = await sumsOfSquaresAsync(tensors);
  return dtypes.every((dtype, i) => {
    return sums[i]! <= bounds[dtype] || areFinite(tensors.filter((tensor) => tensor.dtype === dtype));
  });
}

const areFinite = (tensors: readonly Tensor[]): boolean => native.allFinite(tensors.map(({ data }) => data));
