import {
  GradientsAndVariables,
  internals,
  MixedPrecisionLossScaleOptimizer,
  Optimizer,
  OptimizerWrapper,
  type ComputeGradientsOptions,
  type Gradient,
  type GradientAndVariable,
  type Tensor,
  type Variable,
} from 'gradstep';
import type { Communicator } from '../communicator';
import { compareStates } from './check-same-state';
import { Exchanger } from './exchange';
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
  }

  /** @internal */
  override get exchange() {
    const { fusionBytes, deterministic } = this.exchanger.options;
    const compare = (variables: readonly Variable[], exchanges: number): void => {
      if (this.exchanger.isCheckDue(exchanges)) this.checkState(variables);
    };
    return { communicator: this.communicator, fusionBytes, deterministic, compare };
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
    return this.averaged(() => {
      const { loss } = gradsAndVars as Partial<GradientsAndVariables>;
      return GradientsAndVariables.of_(checkedPairs(gradsAndVars), loss ?? nothing());
    });
  }

  override dispose(): void {
    super.dispose();
    this.exchanger.end();
  }

  private averaged(compute: (observer: internals.WayBackObserver | null) => GradientsAndVariables) {
    if (this.communicator.size === 1) return alone(compute(null));
    const exchange = this.exchanger.begin();
    let pairs: GradientsAndVariables | null = null;
    try {
      pairs = compute(this.isObservable ? exchange : null);
    } catch (error) {
      exchange.fail(error);
    }
    return exchange.finish(pairs);
  }

  private checkState(variables: readonly Variable[]): void {
    compareStates(this.communicator, () => [...variables, this.optimizer].flatMap((part) => part.state()));
  }
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
