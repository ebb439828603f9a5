import { At, row } from './queue';
import { Activity, Own, placeOf, Told, undecided, Word, type FeedMemory } from './feed';
import { darkest } from './digits';
import { inputSize } from './model';

/** A step is not kept waiting for longer, in milliseconds, when it has some examples and could take more. */
const linger = 20;

/** What a share of a step is given: `weights` are 0 where it has fewer examples than places. */
export interface Batch {
  readonly x: Float32Array;
  readonly labels: Int32Array;
  readonly weights: Float32Array;
}

interface Settings {
  readonly rank: number;
  readonly shares: number;
  /** Examples of a step, at most. */
  readonly size: number;
  /** Called with the number of a step when it has to wait for examples. */
  readonly onWait: (step: number) => void;
}

/**
 * The end of the queue that a worker has. All workers must find the same examples in a step, and so must one that does it
 * again for another that died: whoever comes to a step first decides, with one atomic write, how many of the queue are in
 * it. What the queue does not fill the stream does, where there is one.
 */
export class Batches {
  /** Places of a share. */
  readonly places: number;
  private readonly batch: Batch;

  constructor(
    private readonly feed: FeedMemory,
    private readonly settings: Settings,
  ) {
    this.places = Math.ceil(settings.size / settings.shares);
    this.batch = {
      x: new Float32Array(this.places * inputSize),
      labels: new Int32Array(this.places),
      weights: new Float32Array(this.places),
    };
  }

  /** How many examples there are in a step that has been decided. */
  countOf(step: number): number {
    const { ends, stream } = this.feed;
    return stream === null ? Number(ends[placeOf(step)]! - ends[placeOf(step - 1)]!) : this.settings.size;
  }

  /** The examples of one share, in memory that the next share is written to. Sleeps until there are any. */
  of(step: number, share: number): Batch {
    const { stream, own } = this.feed;
    const { batch, places } = this;
    const { size, shares, rank } = this.settings;
    const [first, end] = this.decided(step);
    const queued = end - first;
    const count = this.countOf(step);
    const mine = Math.max(0, Math.min(places, count - share * places));
    batch.weights.fill(shares / count, 0, mine).fill(0, mine); // the mean over shares is then that over examples
    for (let place = 0; place < mine; place++) {
      const at = share * places + place; // in the step
      if (at < queued) this.take(first + at, place);
      else this.takeFromStream(stream!, step * size + at, place);
    }
    Atomics.add(own, rank * Own.Count + Own.Examples, mine);
    return batch;
  }

  private take(position: number, place: number): void {
    const { pixels, labels } = this.feed.queue;
    const from = position % labels.length;
    this.batch.x.set(row(pixels, from), place * inputSize);
    this.batch.labels[place] = labels[from]!;
  }

  private takeFromStream({ pixels, labels }: NonNullable<FeedMemory['stream']>, n: number, place: number): void {
    const from = n % labels.length;
    const { x } = this.batch;
    for (let i = 0; i < inputSize; i++) x[place * inputSize + i] = pixels[from * inputSize + i]! / darkest;
    this.batch.labels[place] = labels[from]!;
  }

  /** Where in the queue the examples of a step begin and end. */
  private decided(step: number): readonly [first: number, end: number] {
    const { ends, queue, words, own } = this.feed;
    const { size, rank, onWait } = this.settings;
    const first = ends[placeOf(step - 1)]!;
    Atomics.store(queue.at, At.Start, first); // the steps before this one have been made
    Atomics.store(ends, placeOf(step + 1), undecided); // nobody is there before this one has been made
    const activity = rank * Own.Count + Own.Activity;
    for (let emptyAt = performance.now(); Atomics.load(ends, placeOf(step)) === undecided;) {
      const rung = Atomics.load(queue.bell, 0);
      const waiting = Number(Atomics.load(queue.at, At.End) - first);
      if (waiting === 0) emptyAt = performance.now();
      const isFull = waiting >= size || this.feed.stream !== null;
      const isLate = performance.now() - emptyAt >= linger;
      if (isFull || isLate || Atomics.load(words, Word.Stop) === 1) {
        Atomics.compareExchange(ends, placeOf(step), undecided, first + BigInt(Math.min(waiting, size)));
      } else {
        Atomics.store(own, activity, Activity.Waiting);
        onWait(step);
        Atomics.wait(queue.bell, 0, rung, linger);
      }
    }
    Atomics.store(own, activity, Activity.Running);
    return [Number(first), Number(ends[placeOf(step)]!)];
  }

  /** Notes what a step tells, when its gradients are there. */
  tell(step: number, norm: number, learningRate: number): void {
    const { told } = this.feed;
    const at = placeOf(step) * Told.Count;
    told[at + Told.Seen] = told[placeOf(step - 1) * Told.Count + Told.Seen]! + this.countOf(step);
    told[at + Told.Norm] = norm;
    told[at + Told.LearningRate] = learningRate;
  }
}
