import { GradientsAndVariables, internals } from 'gradstep';
import type { Communicator } from './communicator';
import { pairsOf, sharesFor, sharesOf, type ShareGradients, type Shares } from './gradients';
import { MeanGradients } from './mean-gradients';
import { Processes } from './processes';
import { keptLosses, secondsSince, Word } from './protocol';
import type { Training, Worker } from './replica';

const { alias, Commit } = internals;

/**
 * A worker of a synchronous training: it computes the gradients of its shares; their mean over all shares becomes one step
 * of rank 0's optimizer, in one native call.
 *
 * How many steps have been made is the version of the guard, which that call counts. A worker that comes anew, or finds the
 * communicator aborted, sees by it whether the step is to be made again.
 *
 * Where other processes train with it (`DistributedOptimizer`), the mean is one over them, too.
 */
export class SynchronousTraining implements Training {
  private readonly commit: InstanceType<typeof Commit>;
  private readonly mean: MeanGradients;
  private readonly shares: Shares;
  private readonly processes: Processes;
  /** The gradients of the own shares at a step; they are kept as long as that step has not been made. */
  private held: { readonly step: number; readonly shares: readonly ShareGradients[] } | null = null;

  constructor(private readonly worker: Worker) {
    const { start, variables, replica } = worker;
    const [first, end] = sharesOf(start.rank, start.workers, start.shares);
    this.commit = new Commit({ guard: start.board.guard, isLocked: true });
    this.mean = new MeanGradients(variables, start);
    this.shares = sharesFor(replica, variables, start.shares, end - first);
    this.processes = new Processes(this.worker.outerOptimizer);
  }

  step(communicator: Communicator | null): boolean {
    const { start, variables, replica, globalStep, report } = this.worker;
    const step = this.commit.version;
    if (step >= start.steps) return false;
    const begun = performance.now();
    const mine = this.gradientsAt(step);
    const isTold = Atomics.load(start.board.words, Word.Stop) !== 0;
    const isStopping = start.rank === 0 ? this.processes.areStopping(step, isTold) : isTold;
    const mean = this.mean.of(communicator!, mine, isStopping);
    if (mean.isStopping) return false;
    if (start.rank === 0) {
      const own = alias(Float64Array.of(mean.loss), 'float64', []);
      const pairs = this.processes.meanOf(GradientsAndVariables.of_(pairsOf(mean.gradients, variables), own));
      const gradients = replica.transform?.(pairs) ?? pairs;
      const loss = pairs.loss.item();
      start.board.losses[step % keptLosses] = loss;
      let applied = false;
      const isMade = this.commit.make(() => (applied = replica.optimizer.applyGradients(gradients, { globalStep })));
      if (isMade) replica.onStep?.({ step, loss, seconds: secondsSince(begun), applied });
      report();
    }
    communicator!.barrier();
    this.letGo();
    return true;
  }

  private gradientsAt(step: number): readonly ShareGradients[] {
    if (this.held?.step === step) return this.held.shares;
    this.letGo();
    const { start } = this.worker;
    const [first, end] = sharesOf(start.rank, start.workers, start.shares);
    const shares: ShareGradients[] = [];
    for (let share = first; share < end; share++) {
      shares.push(this.shares.compute(step, share, share - first));
    }
    this.held = { step, shares };
    return shares;
  }

  private letGo(): void {
    this.held?.shares.forEach((computed) => this.shares.discard(computed));
    this.held = null;
  }
}
