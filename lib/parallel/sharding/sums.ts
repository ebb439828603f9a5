import { internals, type FloatArray, type Tensor } from 'gradstep';
import { native } from '../../native';
import type { Communicator, PendingCall } from '../communicator';
import type { Part } from './parts';

const { alias, pieceOf, sharedArrays, timesFactor } = internals;

/** A variable's part and the gradient that this rank has of the whole; null adds nothing to the sum. */
export interface Term {
  readonly part: Part;
  readonly values: Tensor | null;
}

/** Sums of dense gradients over all ranks, of which each gets its parts only. */
export class PartSums {
  private readonly sums = new Map<string, Sum>();

  /** @param fusionBytes how much goes to others at a time, as far as there is so much. */
  constructor(
    private readonly communicator: Communicator,
    private readonly fusionBytes: number,
  ) {}

  /** The parts of the means, in the order of the terms: in memory that is theirs until the next call. */
  means(terms: readonly Term[]): Tensor[] {
    const { communicator, fusionBytes } = this;
    const means = new Map<Term, Tensor>();
    for (const dtype of ['float32', 'float64'] as const) {
      const own = terms.filter(({ part }) => part.own.dtype === dtype);
      if (own.length === 0) continue;
      let sum = this.sums.get(dtype);
      if (!sum?.isFor(own)) this.sums.set(dtype, (sum = new Sum(communicator, own, dtype, fusionBytes)));
      sum.of(own).forEach((values, i) => means.set(own[i]!, timesFactor(values, 1 / communicator.size)));
    }
    return terms.map((term) => means.get(term)!);
  }
}

/** How far the elements of one rank have been packed: the next is this one of this term. */
interface Cursor {
  term: number;
  element: number;
}

/** The sums of terms of one dtype. */
class Sum {
  private readonly parts: readonly Part[];
  /** How many elements of each rank go at a time. */
  private readonly stretch: number;
  private readonly rounds: number;
  /** What goes to all ranks, one stretch after the other: one is filled while the other is on its way. */
  private readonly packed: readonly FloatArray[];
  /** This rank's sums, one part after the other. */
  private readonly own: FloatArray;

  constructor(
    private readonly communicator: Communicator,
    terms: readonly Term[],
    dtype: 'float32' | 'float64',
    fusionBytes: number,
  ) {
    const { size } = communicator;
    this.parts = terms.map(({ part }) => part);
    const most = Math.max(...Array.from({ length: size }, (_, rank) => this.elementsOf(rank)));
    const bytes = dtype === 'float32' ? 4 : 8;
    this.stretch = Math.max(1, Math.min(most, Math.floor(fusionBytes / (2 * bytes * size))));
    this.rounds = Math.ceil(most / this.stretch);
    const buffers = Math.min(2, this.rounds);
    const arrays = [...new Array<number>(buffers).fill(size * this.stretch), this.rounds * this.stretch];
    const [own, ...packed] = sharedArrays(arrays.map((length) => ({ dtype, size: length }))).reverse();
    this.own = own!;
    this.packed = packed;
  }

  private elementsOf(rank: number): number {
    return this.parts.reduce((sum, { ranges }) => sum + ranges[rank]![1] - ranges[rank]![0], 0);
  }

  isFor(terms: readonly Term[]): boolean {
    return terms.length === this.parts.length && terms.every(({ part }, i) => part === this.parts[i]);
  }

  of(terms: readonly Term[]): Tensor[] {
    const { communicator, stretch, own, packed, rounds } = this;
    const cursors = Array.from({ length: communicator.size }, (): Cursor => ({ term: 0, element: 0 }));
    let before: PendingCall | null = null;
    for (let round = 0; round < rounds; round++) {
      const buffer = packed[round % packed.length]!;
      cursors.forEach((cursor, rank) => this.pack(terms, rank, cursor, buffer));
      before?.wait();
      before = communicator.startReduceScatter(buffer, pieceOf(own, round * stretch, (round + 1) * stretch));
    }
    before?.wait();
    let end = 0;
    return terms.map(({ part: { range, own: { dtype, shape } } }) => {
      const start = end;
      end += range[1] - range[0];
      return alias(pieceOf(own, start, end), dtype, shape);
    });
  }

  /** Packs the next stretch of a rank. */
  private pack(terms: readonly Term[], rank: number, cursor: Cursor, buffer: FloatArray): void {
    const end = (rank + 1) * this.stretch;
    let at = rank * this.stretch;
    while (at < end && cursor.term < terms.length) {
      const { part, values } = terms[cursor.term]!;
      const [begin, after] = part.ranges[rank]!;
      const from = begin + cursor.element;
      const count = Math.min(end - at, after - from);
      if (count > 0) copyTerm(pieceOf(buffer, at, at + count), values, from);
      at += count;
      cursor.element += count;
      if (from + count === after) [cursor.term, cursor.element] = [cursor.term + 1, 0];
    }
    if (at < end) pieceOf(buffer, at, end).fill(0); // nobody looks at their sum
  }
}

function copyTerm(to: FloatArray, values: Tensor | null, from: number): void {
  if (values === null) return void to.fill(-0); // adds nothing, to a sum of -0 either
  native.scale(to, pieceOf(values.raw, from, from + to.length), values.factor);
}
