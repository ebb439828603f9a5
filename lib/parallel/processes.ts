import type { GradientsAndVariables, Optimizer } from 'gradstep';
import { DistributedOptimizer } from './distributed/distributed-optimizer';

/**
 * What worker 0 of a synchronous training agrees on with those of other processes, its like: those whose optimizer is a
 * `DistributedOptimizer` around the one that makes the steps. Without one there is nobody else.
 *
 * Of a step each is told once: when workers of this process meet again, as one has died, the others' calls are over.
 */
export class Processes {
  private readonly distributed: DistributedOptimizer | null;
  private told = { step: -1, isStopping: false };

  constructor(optimizer: Optimizer) {
    this.distributed = optimizer instanceof DistributedOptimizer ? optimizer : null;
  }

  /** Whether any process has been told to stop before this step. */
  areStopping(step: number, isOwn: boolean): boolean {
    const { distributed } = this;
    if (distributed === null) return isOwn;
    if (this.told.step !== step) {
      const told = Float64Array.of(Number(isOwn));
      distributed.communicator.allReduce(told);
      this.told = { step, isStopping: told[0]! > 0 };
    }
    return this.told.isStopping;
  }

  /** The mean over all processes of the means over their shares, in the order of ranks. */
  meanOf(gradients: GradientsAndVariables): GradientsAndVariables {
    const { distributed } = this;
    return distributed === null ? gradients : distributed.averageGradients(gradients);
  }
}

/** The optimizer that makes the steps of this process. */
export function ownOptimizer(optimizer: Optimizer): Optimizer {
  return optimizer instanceof DistributedOptimizer ? optimizer.optimizer : optimizer;
}
