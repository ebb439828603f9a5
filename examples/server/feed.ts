// Which examples a step is made of, and what it told: memory that the event loop and all workers share.
import type { Variable } from 'gradstep';
import { At, shared, type ExampleQueue, type QueueMemory } from './queue';
import { shownMemory, type ShownMemory } from './shown';
import type { Digits } from './digits';

/** As many steps are remembered as the event loop may well be behind. */
export const kept = 2 ** 14;
export const undecided = -1n;

/** What a step tells beside its loss. */
export const enum Told {
  /** How many examples there have been, its own among them. */
  Seen,
  Norm,
  LearningRate,
  Count,
}

/** A word for each thing that a thread tells another. */
export const enum Word {
  /** Workers that wait for examples stop waiting. */
  Stop,
  /** The event loop wants gradients: it sets 1, and finds 2 when there are some. */
  Gradients,
  Count,
}

/** Words of each worker. */
export const enum Own {
  Activity,
  /** How many examples it has computed gradients of. */
  Examples,
  Count,
}

export const enum Activity {
  Stopped,
  Starting,
  Running,
  Waiting,
}

export interface FeedMemory {
  readonly queue: QueueMemory;
  /** Where in the queue the examples of a step end, by the step's number; `undecided` while no worker has begun it. */
  readonly ends: BigInt64Array;
  /** `Told.Count` numbers for each step. */
  readonly told: Float64Array;
  readonly words: Int32Array;
  /** `Own.Count` for each worker. */
  readonly own: Int32Array;
  /** What fills steps up; null where the queue is all there is. */
  readonly stream: Digits | null;
  /** Weights for who asks the model. */
  readonly shown: ShownMemory;
  /** Gradients, when somebody wants to see them: an array for each variable. */
  readonly gradients: readonly Float32Array[];
}

/** Where a step is in the memory that is kept of the last ones. */
export const placeOf = (step: number): number => (step + kept) % kept;

/** The end of the feed that the event loop has; `Batches` is the workers'. */
export class Feed {
  readonly memory: FeedMemory;

  constructor(
    readonly queue: ExampleQueue,
    readonly workers: number,
    stream: Digits | null,
    variables: readonly Variable[],
  ) {
    this.memory = {
      queue: queue.memory,
      ends: new BigInt64Array(shared(8 * kept)),
      told: new Float64Array(shared(8 * kept * Told.Count)),
      words: new Int32Array(shared(4 * Word.Count)),
      own: new Int32Array(shared(4 * workers * Own.Count)),
      stream,
      shown: shownMemory(variables),
      gradients: variables.map(({ size }) => new Float32Array(shared(4 * size))),
    };
  }

  /** While no worker is there: the next step is `step`, and it begins with the first example that waits. */
  begin(step: number, seen: number): void {
    const { ends, told, words } = this.memory;
    ends.fill(undecided);
    ends[placeOf(step - 1)] = BigInt(this.queue.start);
    told[placeOf(step - 1) * Told.Count + Told.Seen] = seen;
    words.fill(0);
  }

  /** Lets go of workers that wait for examples, as the training is to stop: `training.stop()` comes first. */
  stop(): void {
    Atomics.store(this.memory.words, Word.Stop, 1);
    this.queue.ring();
  }

  /** After workers have ended, `steps` having been made: frees what these have used. */
  end(steps: number): void {
    Atomics.store(this.memory.queue.at, At.Start, this.memory.ends[placeOf(steps - 1)]!);
  }

  /** All of them do this now, as nobody is left who could say so. */
  workersAre(activity: Activity): void {
    for (let rank = 0; rank < this.workers; rank++) this.memory.own[rank * Own.Count + Own.Activity] = activity;
  }

  /** Where in the queue a run stands that has made so many steps. */
  positionAfter(steps: number): number {
    return Number(this.memory.ends[placeOf(steps - 1)]!);
  }

  /** What a run has told that has made so many steps. */
  toldAfter(steps: number, what: Told): number {
    return this.memory.told[placeOf(steps - 1) * Told.Count + what]!;
  }

  activityOf(rank: number): Activity {
    return Atomics.load(this.memory.own, rank * Own.Count + Own.Activity);
  }

  examplesOf(rank: number): number {
    return Atomics.load(this.memory.own, rank * Own.Count + Own.Examples);
  }
}
