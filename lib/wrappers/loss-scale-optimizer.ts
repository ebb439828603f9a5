import { checkOptions } from '../options';
import { mul } from '../ops';
import { changingGradients } from '../autodiff/observed';
import { inScope } from '../autodiff/scope';
import { checkFunction, shown, isIterable } from '../checks';
import { GlobalStep } from '../tensor/global-step';
import { GradientsAndVariables, type GradientAndVariable } from '../autodiff/gradients-and-variables';
import { IndexedSlices, storedValues, type Gradient } from '../tensor/indexed-slices';
import { FixedLossScale, LossScale } from './loss-scale';
import { OptimizerWrapper } from './optimizer-wrapper';
import {
  applyNames,
  sortedByName,
  type ApplyGradientsOptions,
  type ComputeGradientsOptions,
  type Optimizer,
  type PlannedStep,
} from '../optimizers/optimizer';
import { Commit } from '../step/commit';
import { checkedUpdates } from '../step/pairs';
import { checkQuiet, type Key } from '../step/turns';
import { spend } from '../tensor/memory';
import { inOrder, uniqueEntries, type StateEntry, type StateSource } from '../tensor/state';
import { alias, Tensor, timesFactor } from '../tensor/tensor';
import type { Variable } from '../tensor/variable';

/**
 * An optimizer whose gradients are those of loss · scale, times 1 / scale: what would have been too small on the way
 * arrives. Where they are not finite, a dynamic scale leaves the step out and is smaller next time.
 *
 * Multiplying by 1 / scale changes only the gradients' factor: nothing is written. State and its readers are those of
 * the inner optimizer (TensorFlow's wrapper shows none).
 *
 * Source: `tf.train.experimental.MixedPrecisionLossScaleOptimizer`.
 * @example
 * const optimizer = new MixedPrecisionLossScaleOptimizer(new AdamOptimizer(), 'dynamic');
 * optimizer.minimize(loss);
 */
export class MixedPrecisionLossScaleOptimizer extends OptimizerWrapper {
  readonly lossScale: LossScale;

  /**
   * @param lossScale a number is a FixedLossScale, `'dynamic'` a DynamicLossScale.
   * @throws TypeError unless `optimizer` is an Optimizer and `lossScale` one of these.
   */
  constructor(optimizer: Optimizer, lossScale: LossScale | number | 'dynamic') {
    super(optimizer);
    const scale = LossScale.get(lossScale);
    if (scale === null)
      throw new TypeError(`lossScale must be a LossScale, a number or 'dynamic', got ${shown(scale)}`);
    this.lossScale = scale;
  }

  /** The gradients of the loss, by way of those of loss · scale. `.loss` is the loss as it was, not scaled. */
  override computeGradients(loss: () => Tensor, options: ComputeGradientsOptions = {}): GradientsAndVariables {
    checkFunction('loss', loss);
    const scale = this.lossScale.value;
    if (scale === 1) return super.computeGradients(loss, options);
    let value: Tensor | null = null;
    const scaledLoss = (): Tensor => {
      const plain = loss();
      if (!(plain instanceof Tensor)) return plain; // which the inner optimizer refuses
      value = alias(plain.data.slice(), plain.dtype, plain.shape);
      return mul(plain, scale);
    };
    const factor = 1 / scale;
    const scaled = changingGradients(
      (gradient) => timesFactorOf(gradient, factor),
      () => super.computeGradients(scaledLoss, options),
    );
    const pairs = scaled.map(([gradient, variable]): [Gradient | null, Variable] => {
      return [gradient === null ? null : unscaled(gradient, factor), variable];
    });
    return GradientsAndVariables.of_(
      pairs,
      this.exchange === null ? (value ?? scaled.loss) : overScale(scaled.loss, scale),
    );
  }

  /**
   * One step of the inner optimizer, unless a dynamic loss scale finds gradients that are not finite: then nothing
   * changes but the scale, neither variables nor slots nor `globalStep`.
   *
   * @returns whether the step was made.
   * @throws what the inner optimizer throws, with nothing changed.
   */
  override applyGradients(gradsAndVars: Iterable<GradientAndVariable>, options: ApplyGradientsOptions = {}): boolean {
    if (this.lossScale instanceof FixedLossScale || !isIterable(gradsAndVars)) {
      return super.applyGradients(gradsAndVars, options); // which refuses what is not iterable
    }
    checkQuiet(this.lossScale, () => 'this loss scale');
    const pairs = [...gradsAndVars];
    const accepted = this.lossScale.accepts(pairs);
    const isCommitted = Commit.open !== null; // then what is written has to be known before the step
    if (isCommitted) this.lossScale.advance(accepted);
    if (accepted) super.applyGradients(pairs, options);
    else leaveOut(pairs, options);
    if (!isCommitted) this.lossScale.advance(accepted);
    return accepted;
  }

  /** @internal */
  override planStep(gradsAndVars: Iterable<GradientAndVariable>, options: ApplyGradientsOptions = {}): PlannedStep {
    const inner = super.planStep(gradsAndVars, options);
    if (this.lossScale instanceof FixedLossScale) return inner;
    const { keys, loans } = inner;
    return {
      keys: [...keys, this.lossScale],
      loans,
      run: async (turn) => {
        const accepted = await this.lossScale.acceptsAsync(loans.pairs);
        if (accepted) await turn.inCharge(() => inner.run(turn));
        else loans.spend();
        turn.inCharge(() => this.lossScale.advance(accepted));
        return accepted;
      },
    };
  }

  /** @internal */
  override turnKeys(): Key[] {
    return [...super.turnKeys(), this.lossScale];
  }

  /** All state, sorted by name: the inner optimizer's and the loss scale's. */
  override variables(): Variable[] {
    return sortedByName([...super.variables(), ...this.lossScale.variables()]);
  }

  /** All state, sorted by key: the inner optimizer's and the loss scale's. */
  override state(): StateEntry[] {
    return uniqueEntries([
      ...super.state().map((entry) => ['the optimizer inside', entry] as const),
      ...this.lossScale.state().map((entry) => ['the loss scale', entry] as const),
    ]);
  }

  override planRestore(source: StateSource): () => void {
    return inOrder([super.planRestore(source), this.lossScale.planRestore(source)]);
  }
}

// The mean over ranks of losses that were scaled is known of what they were scaled to only.
function overScale({ data, dtype, shape }: Tensor, scale: number): Tensor {
  return alias(
    data.map((value) => value / scale),
    dtype,
    shape,
  );
}

function unscaled(gradient: Gradient, factor: number): Gradient {
  const result = timesFactorOf(gradient, factor);
  inScope(storedValues(result));
  return result;
}

function timesFactorOf(gradient: Gradient, factor: number): Gradient {
  if (!(gradient instanceof IndexedSlices)) return timesFactor(gradient, factor);
  return new IndexedSlices(timesFactor(gradient.values, factor), gradient.indices, gradient.denseShape);
}

/** What a step does with its arguments, but the step: a wrong one is refused, the gradients are used up. */
function leaveOut(pairs: readonly GradientAndVariable[], options: ApplyGradientsOptions): void {
  checkOptions('options', options, applyNames);
  const { globalStep } = options;
  if (globalStep !== undefined && !(globalStep instanceof GlobalStep)) {
    throw new TypeError(`globalStep must be a GlobalStep, got ${shown(globalStep)}`);
  }
  for (const { values } of checkedUpdates(pairs)) spend(values.memory);
}
