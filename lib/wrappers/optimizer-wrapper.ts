import { shown } from '../checks';
import type { GradientAndVariable, GradientsAndVariables } from '../autodiff/gradients-and-variables';
import { Optimizer, type ApplyGradientsOptions, type ComputeGradientsOptions } from '../optimizers/optimizer';
import type { Tensor } from '../tensor/tensor';
import type { Variable } from '../tensor/variable';

/**
 * An optimizer around another one, which does the work and keeps the state: everything is the inner optimizer's but
 * what a subclass does differently.
 */
export abstract class OptimizerWrapper extends Optimizer {
  /** @throws TypeError unless `optimizer` is an Optimizer. */
  protected constructor(
    /** The optimizer inside. */
    readonly optimizer: Optimizer,
    { name, useLocking = false }: { name?: string; useLocking?: boolean } = {},
  ) {
    if (!(optimizer instanceof Optimizer)) {
      throw new TypeError(`optimizer must be an Optimizer, got ${shown(optimizer)}`);
    }
    // The base class wants a rule of every optimizer; this one is never stepped with.
    const definition = { name: optimizer.getName(), rule: 'gradientDescent', hyperparameters: {} };
    super(definition, name === undefined ? { useLocking } : { name, useLocking });
  }

  override computeGradients(loss: () => Tensor, options: ComputeGradientsOptions = {}): GradientsAndVariables {
    return this.optimizer.computeGradients(loss, options);
  }

  override applyGradients(gradsAndVars: Iterable<GradientAndVariable>, options: ApplyGradientsOptions = {}): void {
    this.optimizer.applyGradients(gradsAndVars, options);
  }

  override getSlot(variable: Variable, name: string): Variable | null {
    return this.optimizer.getSlot(variable, name);
  }

  override getSlotNames(): string[] {
    return this.optimizer.getSlotNames();
  }

  override variables(): Variable[] {
    return this.optimizer.variables();
  }

  override createSlots(variables: Iterable<Variable>): void {
    this.optimizer.createSlots(variables);
  }
}
