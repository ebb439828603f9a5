import type { internals } from 'gradstep';
import type { GatheringMemory } from './protocol';

type Commit = InstanceType<typeof internals.Commit>;

// The numbers of what replicas gather, in shared memory: read without a lock, written by commits that find nobody has written
// meanwhile.
const enum At {
  /** How many steps have been made. */
  Step,
  /** How many gradients there are for the next. */
  Count,
  /** The sum of their losses. */
  Loss,
  Dropped,
  /** The first and the last of the lots of tokens, numbered through. */
  Head,
  Tail,
  Lots,
}
// A lot of tokens: the step that they carry, and how many there are.
const numbersPerLot = 2;

/** As many lots as there may be: each step makes one, and replicas take them in their order. */
export const mostLots = 4096;

export const numbersOfGathering = At.Lots + numbersPerLot * mostLots;

/** What replicas have gathered for the next step, and their tokens: TensorFlow's accumulators and queue. */
export class Gathering {
  private readonly numbers: Float64Array;

  constructor(private readonly memory: GatheringMemory) {
    this.numbers = memory.numbers;
  }

  /** Before anybody looks at it: puts tokens of step 0. */
  begin(tokens: number): void {
    if (tokens === 0) return;
    this.numbers[At.Tail] = 1;
    this.numbers[At.Lots] = 0;
    this.numbers[At.Lots + 1] = tokens;
  }

  get step(): number {
    return this.numbers[At.Step]!;
  }

  get count(): number {
    return this.numbers[At.Count]!;
  }

  /** The mean loss of what has been gathered. */
  get meanLoss(): number {
    return this.numbers[At.Loss]! / this.count;
  }

  /** How many gradients came too late. */
  get dropped(): number {
    return this.numbers[At.Dropped]!;
  }

  /** Takes the first token. @returns the step that it carries; undefined when there is none. */
  take(commit: Commit): number | undefined {
    const { numbers } = this;
    const head = numbers[At.Head]!;
    if (head === numbers[At.Tail]!) return undefined;
    const at = placeOf(head);
    const left = numbers[at + 1]! - 1;
    commit.set(numbers, at + 1, left);
    if (left === 0) commit.set(numbers, At.Head, head + 1);
    return numbers[at]!;
  }

  /** Notes that a gradient of this loss is added. */
  added(commit: Commit, loss: number): void {
    commit.set(this.numbers, At.Count, this.count + 1);
    commit.set(this.numbers, At.Loss, this.count === 0 ? loss : this.numbers[At.Loss]! + loss);
  }

  drop(commit: Commit): void {
    commit.set(this.numbers, At.Dropped, this.dropped + 1);
  }

  /** Notes that a step is made of what has been gathered, and puts as many tokens. */
  startAnew(commit: Commit, tokens: number): void {
    const { numbers, step } = this;
    const [head, tail] = [numbers[At.Head]!, numbers[At.Tail]!];
    if (tail - head >= mostLots)
      throw new Error(`replicas have left the tokens of ${mostLots} steps: they are too many`);
    commit.set(numbers, At.Step, step + 1);
    commit.set(numbers, At.Count, 0);
    commit.set(numbers, placeOf(tail), step + 1);
    commit.set(numbers, placeOf(tail) + 1, tokens);
    commit.set(numbers, At.Tail, tail + 1);
  }

  get sums(): GatheringMemory['sums'] {
    return this.memory.sums;
  }
}

const placeOf = (lot: number): number => At.Lots + numbersPerLot * (lot % mostLots);
