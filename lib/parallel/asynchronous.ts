import { GradientsAndVariables, internals } from 'gradstep';
import { pairsOf, sharesFor, type Shares } from './gradients';
import { keptLosses, secondsSince, Word } from './protocol';
import type { Training, Worker } from './replica';

const { alias, Commit } = internals;

/**
 * A worker of an asynchronous training (Hogwild): it computes gradients and steps by itself, without waiting for others.
 * With locking, steps exclude each other, and none is made of state that another has changed meanwhile; what the gradients
 * were computed from may be older in any case.
 *
 * Source: Niu, Recht, Ré & Wright 2011.
 */
export class AsynchronousTraining implements Training {
  private readonly commit: InstanceType<typeof Commit>;
  private readonly shares: Shares;

  constructor(private readonly worker: Worker) {
    const { guard } = worker.start.board;
    const { steps, useLocking } = worker.start;
    this.commit = new Commit({ guard, isLocked: useLocking, limit: Math.min(steps, 2 ** 32 - 1) });
    this.shares = sharesFor(worker.replica, worker.variables, worker.start.shares, 1);
  }

  step(): boolean {
    const { start, variables, replica, globalStep, report } = this.worker;
    const { words, losses } = start.board;
    if (this.commit.version >= start.steps || Atomics.load(words, Word.Stop) !== 0) return false;
    const began = performance.now();
    const begun = Atomics.add(words, Word.Begun, 1);
    const [step, share] = [Math.floor(begun / start.shares), begun % start.shares];
    const computed = this.shares.compute(step, share, 0);
    const loss = alias(Float64Array.of(computed.loss), 'float64', []);
    const pairs = GradientsAndVariables.of_(pairsOf(computed.gradients, variables), loss);
    const gradients = replica.transform?.(pairs) ?? pairs;
    const before = this.commit.version;
    losses[before % keptLosses] = computed.loss;
    let applied = false;
    const isMade = this.commit.make(() => (applied = replica.optimizer.applyGradients(gradients, { globalStep })));
    this.shares.discard(computed);
    if (isMade) replica.onStep?.({ step: before, loss: computed.loss, seconds: secondsSince(began), applied });
    report();
    return isMade === true;
  }
}
