import { GradientsAndVariables, IndexedSlices, internals, type FloatArray, type Gradient } from 'gradstep';
import { native } from '../native';
import { Gathering } from './gathering';
import { pairsOf, sharesFor, type ShareGradients, type Shares } from './gradients';
import { keptLosses, secondsSince, Word } from './protocol';
import type { MadeStep, Training, Worker } from './replica';

const { alias, Commit, timesFactor } = internals;

/**
 * A worker that is one of several replicas, as TensorFlow's SyncReplicasOptimizer has them: it pushes gradients that count as
 * computed at its local step, and those of an earlier step than the present are dropped. Then it takes a token, which says
 * its next local step, and waits for one where there is none. When enough gradients have come, whoever brought the last makes
 * a step of their mean; as many tokens as there are replicas carry its number.
 *
 * Everything that a replica changes it changes in one native call. One that dies leaves what it has pushed, and the next of
 * its rank starts at the present step, as it does in TensorFlow.
 *
 * Source: `tf.train.SyncReplicasOptimizer`; Chen et al. 2016.
 */
export class ReplicasTraining implements Training {
  private readonly commit: InstanceType<typeof Commit>;
  private readonly gathering: Gathering;
  private readonly shares: Shares;
  private localStep: number | undefined;

  constructor(private readonly worker: Worker) {
    const { start, variables, replica } = worker;
    this.commit = new Commit({ guard: start.board.guard, isLocked: true });
    this.gathering = new Gathering(start.board.gathering!);
    this.shares = sharesFor(replica, variables, start.shares, 1);
    this.localStep = this.gathering.step;
  }

  step(): boolean {
    const { start } = this.worker;
    const { commit, gathering } = this;
    const begun = performance.now();
    const seen = commit.version;
    if (gathering.step >= start.steps || Atomics.load(start.board.words, Word.Stop) !== 0) return false;
    if (this.localStep === undefined) {
      commit.make(() => (this.localStep = gathering.take(commit)), true);
      if (this.localStep !== undefined) return true;
      native.waitForStep(start.board.guard, seen);
      // Nothing has happened for a while: who was to make the step may have died.
      if (commit.version === seen) this.makeStep(begun);
      return true;
    }
    const computed = this.shares.compute(this.localStep, start.rank, 0);
    this.push(computed, this.localStep);
    this.shares.discard(computed);
    this.localStep = undefined;
    this.makeStep(begun);
    return true;
  }

  private push({ gradients, loss }: ShareGradients, localStep: number): void {
    const { commit, gathering } = this;
    const arrays = gradients.map((gradient, i) => this.valuesOf(gradient, i));
    commit.make(() => {
      if (localStep < gathering.step) return gathering.drop(commit);
      const isFirst = gathering.count === 0;
      gathering.added(commit, loss);
      commit.run((table) => native.accumulate(table, gathering.sums, arrays, isFirst));
    });
  }

  /** Makes a step, if enough gradients are there, and nobody else makes it first. */
  private makeStep(begun: number): void {
    const { commit, gathering } = this;
    const { start, variables, replica, globalStep, report } = this.worker;
    const { replicasToAggregate } = start;
    let made = undefined as Omit<MadeStep, 'seconds'> | undefined;
    const isMade = commit.make(() => {
      const { count, step } = gathering;
      made = undefined;
      if (count < replicasToAggregate) return;
      const loss = gathering.meanLoss;
      const gradients = gathering.sums.map((sum, i) => {
        return timesFactor(alias(sum, variables[i]!.dtype, variables[i]!.shape), 1 / count);
      });
      const pairs = GradientsAndVariables.of_(
        pairsOf(gradients, variables),
        alias(Float64Array.of(loss), 'float64', []),
      );
      const transformed = replica.transform?.(pairs) ?? pairs;
      start.board.losses[step % keptLosses] = loss;
      gathering.startAnew(commit, Math.max(start.workers, replicasToAggregate));
      made = { step, loss, applied: replica.optimizer.applyGradients(transformed, { globalStep }) };
    }, true);
    if (isMade && made !== undefined) replica.onStep?.({ ...made, seconds: secondsSince(begun) });
    report();
  }

  private valuesOf(gradient: Gradient | null, i: number): FloatArray {
    const { name } = this.worker.variables[i]!;
    if (gradient === null) throw new Error(`'${name}' has no gradient, which every replica must have for it`);
    if (gradient instanceof IndexedSlices) {
      throw new TypeError(`gradient of '${name}' is sparse: replicas gather dense ones`);
    }
    return gradient.data;
  }
}
