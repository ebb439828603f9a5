import { internals, type FloatArray, type Tensor } from 'gradstep';
import { native } from '../../native';
import type { Communicator, PendingCall, SumOptions } from '../communicator';
import { blockElements } from './partition';
import type { Part } from './parts';

const { alias, pieceOf, sharedArray, timesFactor } = internals;

/** A variable's part and the gradient that this rank has of the whole; null adds nothing to the sum. */
export interface Term {
  readonly part: Part;
  readonly values: Tensor | null;
}

/** Sums of dense gradients over all ranks, of which each gets its parts only. */
export class PartSums {
  private readonly sums = new Map<string, Sum>();

  /** @param fusionBytes how much goes to others at a time, about. */
  constructor(
    private readonly communicator: Communicator,
    private readonly fusionBytes: number,
    private readonly options: SumOptions,
  ) {}

  /** The parts of the means, in the order of the terms. They may lie where the gradients were, which are used up. */
  means(terms: readonly Term[]): Tensor[] {
    const { communicator, fusionBytes, options } = this;
    const means = new Map<Term, Tensor>();
    for (const dtype of ['float32', 'float64'] as const) {
      const own = terms.filter(({ part }) => part.own.dtype === dtype);
      if (own.length === 0) continue;
      let sum = this.sums.get(dtype);
      if (!sum?.isFor(own)) this.sums.set(dtype, (sum = new Sum(communicator, own, dtype, fusionBytes, options)));
      sum.of(own).forEach((array, i) => {
        const values = alias(array, dtype, own[i]!.part.own.shape);
        means.set(own[i]!, timesFactor(values, 1 / communicator.size));
      });
    }
    return terms.map((term) => means.get(term)!);
  }
}

/** How far the elements of one rank have been gone through: the next is this one of this term. */
interface Cursor {
  term: number;
  element: number;
}

const start = (): Cursor => ({ term: 0, element: 0 });

/** A stretch that is on its way: what goes to all ranks, one after the other, and what comes. */
interface Stretch {
  readonly packed: FloatArray;
  readonly sums: FloatArray;
  call: PendingCall | null;
}

/** The sums of terms of one dtype. */
class Sum {
  private readonly parts: readonly Part[];
  /** How many elements of each rank go at a time. */
  private readonly length: number;
  private readonly rounds: number;
  /** One is filled while the other is on its way. */
  private readonly stretches: readonly Stretch[];

  constructor(
    private readonly communicator: Communicator,
    terms: readonly Term[],
    dtype: Tensor['dtype'],
    fusionBytes: number,
    private readonly options: SumOptions,
  ) {
    const { size } = communicator;
    this.parts = terms.map(({ part }) => part);
    const most = Math.max(...Array.from({ length: size }, (_, rank) => this.elementsOf(rank)));
    const bytes = dtype === 'float32' ? 4 : 8;
    this.length = Math.min(most, Math.max(blockElements, Math.floor(fusionBytes / (2 * bytes * size))));
    this.rounds = most === 0 ? 0 : Math.ceil(most / this.length);
    this.stretches = Array.from({ length: Math.min(2, this.rounds) }, () => ({
      packed: sharedArray(dtype, size * this.length),
      sums: sharedArray(dtype, this.length),
      call: null,
    }));
  }

  private elementsOf(rank: number): number {
    return this.parts.reduce((sum, { ranges }) => sum + ranges[rank]![1] - ranges[rank]![0], 0);
  }

  isFor(terms: readonly Term[]): boolean {
    return terms.length === this.parts.length && terms.every(({ part }, i) => part === this.parts[i]);
  }

  /** This rank's sums, by term. */
  of(terms: readonly Term[]): FloatArray[] {
    const { communicator, stretches, rounds } = this;
    const results = resultsFor(terms);
    const cursors = Array.from({ length: communicator.size }, start);
    const received = start();
    for (let round = 0; round < rounds; round++) {
      const stretch = stretches[round % stretches.length]!;
      this.receive(stretch, results, received);
      cursors.forEach((cursor, rank) => this.pack(terms, rank, cursor, stretch.packed));
      stretch.call = communicator.startReduceScatter(stretch.packed, stretch.sums, this.options);
    }
    // The older first.
    for (let i = 0; i < stretches.length; i++) {
      this.receive(stretches[(rounds + i) % stretches.length]!, results, received);
    }
    return results;
  }

  /** Calls `use` with what the next stretch of a rank has of each term: from where in the stretch and in the rank's part. */
  private each(rank: number, cursor: Cursor, use: (term: number, at: number, element: number, count: number) => void) {
    const { parts, length } = this;
    let at = 0;
    while (at < length && cursor.term < parts.length) {
      const [begin, end] = parts[cursor.term]!.ranges[rank]!;
      const count = Math.min(length - at, end - begin - cursor.element);
      if (count > 0) use(cursor.term, at, cursor.element, count);
      at += count;
      cursor.element += count;
      if (cursor.element === end - begin) [cursor.term, cursor.element] = [cursor.term + 1, 0];
    }
    return at;
  }

  private pack(terms: readonly Term[], rank: number, cursor: Cursor, packed: FloatArray): void {
    const first = rank * this.length;
    const end = this.each(rank, cursor, (term, at, element, count) => {
      const { part, values } = terms[term]!;
      copyTerm(pieceOf(packed, first + at, first + at + count), values, part.ranges[rank]![0] + element);
    });
    pieceOf(packed, first + end, first + this.length).fill(0); // nobody looks at their sum
  }

  /** Waits for a stretch, if it is on its way, and puts the sums where they belong. */
  private receive(stretch: Stretch, results: readonly FloatArray[], cursor: Cursor): void {
    if (stretch.call === null) return;
    stretch.call.wait();
    stretch.call = null;
    this.each(this.communicator.rank, cursor, (term, at, element, count) => {
      pieceOf(results[term]!, element, element + count).set(pieceOf(stretch.sums, at, at + count));
    });
  }
}

/** Where the sums of this rank's parts come to lie: in the gradients' own memory, where nobody else has to do with that. */
function resultsFor(terms: readonly Term[]): FloatArray[] {
  const seen = new Set<unknown>();
  const twice = new Set<unknown>();
  for (const { values } of terms) {
    if (seen.has(values?.memory)) twice.add(values?.memory);
    seen.add(values?.memory);
  }
  return terms.map(({ part: { own, range }, values }) => {
    const memory = values?.memory;
    const isOurs = memory?.isRecyclable && memory.isPooled && !memory.isShared && !memory.isKept && !twice.has(memory);
    return isOurs ? pieceOf(memory.array, range[0], range[1]) : sharedArray(own.dtype, own.size);
  });
}

function copyTerm(to: FloatArray, values: Tensor | null, from: number): void {
  if (values === null) return void to.fill(-0); // adds nothing, to a sum of -0 either
  native.scale(to, pieceOf(values.raw, from, from + to.length), values.factor);
}
