import type { GradientAndVariable, GradientsAndVariables } from '../autodiff/gradients-and-variables';
import { shown } from '../checks';
import {
  checkName,
  Optimizer,
  type ApplyGradientsOptions,
  type ComputeGradientsOptions,
  type PlannedStep,
} from '../optimizers/optimizer';
import type { Sharding, Shards } from '../step/sharding';
import type { Key } from '../step/turns';
import type { StateEntry, StateSource } from '../tensor/state';
import type { Tensor } from '../tensor/tensor';
import type { Variable } from '../tensor/variable';

/** @internal How gradients become means over ranks: of `DistributedOptimizer` in gradstep/parallel. */
export interface Exchange {
  /** A Communicator. */
  readonly communicator: object;
  /** How many bytes of dense gradients are exchanged in one call, about. */
  readonly fusionBytes: number;
  /** Whether sums are made in the order of ranks; undefined: as the communicator has it. */
  readonly deterministic: boolean | undefined;
  /** How steps are divided by ranks; null where each rank makes all of them. */
  readonly shards: Shards | null;
  /** Compares these variables and the optimizer's state over all ranks, where that is due after so many exchanges. */
  compare(variables: readonly Variable[], exchanges: number): void;
}

/**
 * An optimizer around another one, which does the work and keeps the state: everything is the inner optimizer's but
 * what a subclass does differently.
 */
export abstract class OptimizerWrapper extends Optimizer {
  private readonly name: string | undefined;

  /**
   * @param options.name what `getName` says. Default: the inner optimizer's name.
   * @throws TypeError unless `optimizer` is an Optimizer and the name a string, RangeError for an empty name.
   */
  protected constructor(
    /** The optimizer inside. */
    readonly optimizer: Optimizer,
    { name }: { name?: string } = {},
  ) {
    super();
    if (!(optimizer instanceof Optimizer)) {
      throw new TypeError(`optimizer must be an Optimizer, got ${shown(optimizer)}`);
    }
    if (name !== undefined) checkName(name);
    this.name = name;
  }

  /** @internal How the means over ranks come about that `computeGradients` gives; null where gradients are this process's own. */
  get exchange(): Exchange | null {
    return this.optimizer instanceof OptimizerWrapper ? this.optimizer.exchange : null;
  }

  override computeGradients(loss: () => Tensor, options: ComputeGradientsOptions = {}): GradientsAndVariables {
    return this.optimizer.computeGradients(loss, options);
  }

  override applyGradients(gradsAndVars: Iterable<GradientAndVariable>, options: ApplyGradientsOptions = {}): boolean {
    return this.optimizer.applyGradients(gradsAndVars, options);
  }

  /** @internal */
  override planStep(gradsAndVars: Iterable<GradientAndVariable>, options: ApplyGradientsOptions = {}): PlannedStep {
    this.checkStepsAlike();
    return this.optimizer.planStep(gradsAndVars, options);
  }

  /** @internal */
  override turnKeys(): Key[] {
    return this.optimizer.turnKeys();
  }

  /** @throws Error where a class has a way to step of its own, and none that leaves the event loop free. */
  private checkStepsAlike(): void {
    const isOwn = (name: 'applyGradients' | 'planStep'): boolean => this[name] !== OptimizerWrapper.prototype[name];
    if (isOwn('applyGradients') && !isOwn('planStep')) super.planStep([]);
  }

  override getSlot(variable: Variable, name: string): Variable | null {
    return this.optimizer.getSlot(variable, name);
  }

  override getSlotNames(): string[] {
    return this.optimizer.getSlotNames();
  }

  override getName(): string {
    return this.name ?? this.optimizer.getName();
  }

  override variables(): Variable[] {
    return this.optimizer.variables();
  }

  override createSlots(variables: Iterable<Variable>): void {
    this.optimizer.createSlots(variables);
  }

  override state(): StateEntry[] {
    return this.optimizer.state();
  }

  /** @internal */
  override sharding(): Sharding | null {
    return this.optimizer.sharding();
  }

  override planRestore(source: StateSource): () => void {
    return this.optimizer.planRestore(source);
  }

  /** Lets go of the inner optimizer's state too. */
  override dispose(): void {
    this.optimizer.dispose();
  }
}
