import {
  GradientsAndVariables,
  internals,
  MixedPrecisionLossScaleOptimizer,
  Optimizer,
  OptimizerWrapper,
  Variable,
  type ApplyGradientsOptions,
  type ComputeGradientsOptions,
  type Gradient,
  type GradientAndVariable,
  type MinimizeOptions,
  type StateEntry,
  type StateSource,
  type Tensor,
} from 'gradstep';
import { isIterable, shown } from '../../checks';
import type { PlannedStep } from '../../optimizers/optimizer';
import type { Sharding } from '../../step/sharding';
import type { Communicator } from '../communicator';
import { Sharded } from '../sharding/sharded';
import { compareStates } from './check-same-state';
import { clippedPairs } from './clip-pairs';
import { Exchanger, type Exchange } from './exchange';
import { checkCommunicator, checkedOptions, type DistributedOptimizerOptions } from './options';
import { meansOf } from './slices';

const { alias, checkedPairs, observingWayBack } = internals;

/**
 * An optimizer whose gradients are means over the ranks of a communicator: threads, or processes on many machines. What is done
 * with them then, clipping and the step, is done on all ranks alike, so that their variables stay the same.
 *
 * The result has the bits of one process that adds the same gradients to a `GradientAccumulator`, rank 0's first. Dense gradients
 * go together in lots (`fusionBytes`), each of which is begun as soon as the way back has it; of sparse ones all rows are brought
 * to all. A variable without a gradient on some ranks counts there as one with zeros.
 *
 * All ranks must start from the same values: `broadcastState` gives them those of one. That they have is looked at by `check`.
 *
 * @example
 * import { DistributedOptimizer, SharedMemoryCommunicator } from 'gradstep/parallel';
 *
 * const communicator = SharedMemoryCommunicator.join(SharedMemoryCommunicator.create(1), 0); // of one thread, here
 * const distributed = new DistributedOptimizer(new AdamOptimizer(), communicator);
 * const [clipped] = clipByGlobalNorm(distributed.computeGradients(loss), 1);
 * distributed.applyGradients(clipped);
 */
export class DistributedOptimizer extends OptimizerWrapper {
  private readonly exchanger: Exchanger;
  /** Whether what is final on the way back is what `computeGradients` of the optimizer inside returns. */
  private readonly isObservable: boolean;
  private readonly sharded: Sharded | null;

  /**
   * @param optimizer makes the steps; it may be a wrapper, such as one with a loss scale.
   * @throws TypeError unless these are an Optimizer and a Communicator and for options of a wrong kind, RangeError for options
   * out of range.
   */
  constructor(
    optimizer: Optimizer,
    /** What the ranks tell each other by. */
    readonly communicator: Communicator,
    options: DistributedOptimizerOptions = {},
  ) {
    const checked = checkedOptions(options);
    super(optimizer, { ...(checked.name !== undefined && { name: checked.name }) });
    checkCommunicator(communicator);
    this.exchanger = new Exchanger(communicator, checked, (variables) => this.checkState(variables));
    this.isObservable = isObservable(optimizer);
    this.sharded = checked.shardState
      ? new Sharded(optimizer, communicator, checked.fusionBytes, this.exchanger.sum)
      : null;
  }

  /** @internal */
  override get exchange() {
    const { fusionBytes, deterministic } = this.exchanger.options;
    const compare = (variables: readonly Variable[], exchanges: number): void => {
      if (this.exchanger.isCheckDue(exchanges)) this.checkState(variables);
    };
    const shards = this.sharded?.shards ?? null;
    return { communicator: this.communicator, fusionBytes, deterministic, shards, compare };
  }

  /**
   * The means over all ranks of the gradients of their losses. All ranks call it, with the same variables in the same order: the
   * `varList`, or those that the losses read.
   *
   * The gradients stay readable until they have been applied and `computeGradients` is called again; `keep` holds on.
   *
   * @returns a pair for each variable; the gradient is null where no rank has one. `.loss` is the mean of the losses, each
   * summed over its elements.
   * @throws what the inner optimizer's throws, on the rank where it does, and on all others an Error that names the rank and
   * says what it was; RangeError, on all, that names the first variable in which ranks differ; Error, on all, for state
   * that is not the same (`check`); CommunicatorAborted when a rank is gone. Nothing has changed then.
   */
  override computeGradients(loss: () => Tensor, options: ComputeGradientsOptions = {}): GradientsAndVariables {
    return this.averaged((observer) => {
      if (observer === null) return super.computeGradients(loss, options);
      return observingWayBack(observer, () => super.computeGradients(loss, options));
    });
  }

  /**
   * The means over all ranks of gradients that have been computed already: those that a `GradientAccumulator` has gathered of
   * several batches, say. They count as applied: after the next `computeGradients` they can no longer be read.
   *
   * @param gradsAndVars pairs of the same variables on all ranks, in the same order. With null for all of them a rank has nothing
   * to say.
   * @returns as `computeGradients`. `.loss` is the mean of theirs; NaN where a list has none.
   * @throws what `applyGradients` throws for such a list, and what `computeGradients` throws.
   */
  averageGradients(gradsAndVars: Iterable<GradientAndVariable>): GradientsAndVariables {
    return this.averaged(() => givenPairs(gradsAndVars));
  }

  /**
   * `computeGradients`, `clip`, then `applyGradients`. With `shardState` each rank gets the mean of its parts only.
   * @returns the mean loss.
   * @throws what these throw, and Error when no variable has a gradient on any rank.
   */
  override minimize(loss: () => Tensor, options: MinimizeOptions = {}): Tensor {
    const { clip } = this.exchanger.options;
    const { forCompute, forApply } = this.optionsToMinimize(options);
    if (this.sharded === null || this.communicator.size === 1) {
      const pairs = this.computeGradients(loss, forCompute);
      this.checkAny(pairs);
      this.applyGradients(clippedPairs(pairs, clip), forApply);
      return pairs.loss;
    }
    return this.stepParts(this.sharded, () => super.computeGradients(loss, forCompute), forApply);
  }

  /**
   * `averageGradients`, `clip`, then `applyGradients`: `minimize` of gradients that have been computed already, those that a
   * `GradientAccumulator` has gathered of several batches, say. With `shardState` each rank gets the mean of its parts only.
   * @returns the mean loss.
   * @throws what these throw.
   */
  applyAverage(gradsAndVars: Iterable<GradientAndVariable>, options: ApplyGradientsOptions = {}): Tensor {
    if (this.sharded === null || this.communicator.size === 1) {
      const pairs = this.averageGradients(gradsAndVars);
      this.checkAny(pairs);
      this.applyGradients(clippedPairs(pairs, this.exchanger.options.clip), options);
      return pairs.loss;
    }
    return this.stepParts(this.sharded, () => givenPairs(gradsAndVars), options);
  }

  private stepParts(sharded: Sharded, compute: () => GradientsAndVariables, options: ApplyGradientsOptions): Tensor {
    const exchange = this.exchanger.begin(true);
    const pairs = this.exchanged(exchange, compute);
    const left = new Set(exchange.left);
    const averaged = pairs.flatMap(([gradient, variable], i) => {
      return gradient !== null || left.has(i) ? [{ variable, gradient }] : [];
    });
    if (averaged.length === 0) this.checkAny(pairs);
    sharded.applyMeans(averaged, this.exchanger.options.clip, options);
    return pairs.loss;
  }

  /** One step of the optimizer inside. With `shardState` all ranks call it, with the same gradients. */
  override applyGradients(gradsAndVars: Iterable<GradientAndVariable>, options?: ApplyGradientsOptions): boolean {
    if (this.sharded === null) return super.applyGradients(gradsAndVars, options);
    this.sharded.applyGradients(gradsAndVars, options);
    return true;
  }

  /** @internal */
  override planStep(gradsAndVars: Iterable<GradientAndVariable>, options?: ApplyGradientsOptions): PlannedStep {
    if (this.sharded === null) return super.planStep(gradsAndVars, options);
    throw new Error('an optimizer with shardState has no asynchronous steps but those of compileStep');
  }

  override async minimizeAsync(loss: () => Tensor, options: MinimizeOptions = {}): Promise<Tensor> {
    if (this.sharded !== null) this.planStep([]);
    const { clip } = this.exchanger.options;
    const { forCompute, forApply } = this.optionsToMinimize(options);
    const pairs = this.computeGradients(loss, forCompute);
    this.checkAny(pairs);
    await this.applyGradientsAsync(clippedPairs(pairs, clip), forApply);
    return pairs.loss;
  }

  private checkAny(pairs: GradientsAndVariables): void {
    if (pairs.some(([gradient]) => gradient !== null)) return;
    throw this.noGradients(pairs.map(([, variable]) => variable));
  }

  /**
   * Which elements of a variable this rank keeps slots of and steps: from the first up to the second, row-major.
   * @returns null where that has not been decided: before its first step, and without `shardState`.
   */
  shardOf(variable: Variable): readonly [begin: number, end: number] | null {
    return this.sharded?.rangeOf(variable) ?? null;
  }

  /**
   * The slot of this name that belongs to `variable`, or null when there is none (yet). With `shardState` it has the elements that
   * `shardOf` tells of, in rows.
   */
  override getSlot(variable: Variable, name: string): Variable | null {
    return this.sharded === null ? super.getSlot(variable, name) : this.sharded.getSlot(variable, name);
  }

  override createSlots(variables: Iterable<Variable>): void {
    if (this.sharded === null) super.createSlots(variables);
    else this.sharded.createSlots(checkedVariables(variables));
  }

  /**
   * All state of the optimizer, sorted by key. With `shardState` that of this rank: the key of a slot of which it has a part
   * tells which, as `w/Adam[0:16384]`.
   */
  override state(): StateEntry[] {
    return this.sharded === null ? super.state() : this.sharded.state.state();
  }

  /** With `shardState` it takes the state of a whole optimizer too, of which it keeps its part. */
  override planRestore(source: StateSource): () => void {
    return this.sharded === null ? super.planRestore(source) : this.sharded.state.planRestore(source);
  }

  /** @internal */
  override sharding(): Sharding | null {
    return this.sharded?.state ?? null;
  }

  override dispose(): void {
    super.dispose();
    this.exchanger.end();
  }

  private averaged(compute: (observer: internals.WayBackObserver | null) => GradientsAndVariables) {
    if (this.communicator.size === 1) return alone(compute(null));
    const exchange = this.exchanger.begin();
    return this.exchanged(exchange, () => compute(this.isObservable ? exchange : null));
  }

  private exchanged(exchange: Exchange, compute: () => GradientsAndVariables): GradientsAndVariables {
    let pairs: GradientsAndVariables | null = null;
    try {
      pairs = compute();
    } catch (error) {
      exchange.fail(error);
    }
    return exchange.finish(pairs);
  }

  private checkState(variables: readonly Variable[]): void {
    compareStates(this.communicator, () => [
      ...variables.flatMap((variable) => variable.state()),
      ...(this.sharded === null ? this.optimizer.state() : this.sharded.state.undivided()),
    ]);
  }
}

/** @throws TypeError for what is no iterable of Variables. */
function checkedVariables(variables: unknown): Variable[] {
  if (!isIterable(variables))
    throw new TypeError(`variables must be an iterable of Variables, got ${shown(variables)}`);
  return Array.from(variables, (variable) => {
    if (variable instanceof Variable) return variable;
    throw new TypeError(`variables must hold Variables, got ${shown(variable)}`);
  });
}

function givenPairs(gradsAndVars: Iterable<GradientAndVariable>): GradientsAndVariables {
  const { loss } = gradsAndVars as Partial<GradientsAndVariables>;
  return GradientsAndVariables.of_(checkedPairs(gradsAndVars), loss ?? nothing());
}

const nothing = (): Tensor => alias(Float64Array.of(NaN), 'float64', []);

/** The means over one rank. */
function alone(pairs: GradientsAndVariables): GradientsAndVariables {
  const isPlain = (gradient: Gradient | null): boolean =>
    gradient === null || (!('indices' in gradient) && gradient.factor === 1);
  const others = pairs.filter(([gradient]) => !isPlain(gradient));
  const means = others.length === 0 ? [] : meansOf([others], 1);
  const result = pairs.map(([gradient, variable]): [Gradient | null, Variable] => {
    return [isPlain(gradient) ? gradient : means.shift()!, variable];
  });
  let loss = 0;
  for (const value of pairs.loss.data) loss += value;
  return GradientsAndVariables.of_(result, alias(Float64Array.of(loss), 'float64', []));
}

/** Whether all of an optimizer's ways to compute gradients are known. */
function isObservable(optimizer: Optimizer): boolean {
  const { computeGradients } = optimizer as { computeGradients: unknown };
  if (!(optimizer instanceof OptimizerWrapper)) return computeGradients === Optimizer.prototype.computeGradients;
  const isKnown = [OptimizerWrapper, MixedPrecisionLossScaleOptimizer].some(
    ({ prototype }) => computeGradients === (prototype as { computeGradients: unknown }).computeGradients,
  );
  return isKnown && isObservable(optimizer.optimizer);
}
