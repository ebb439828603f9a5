import {
  GradientAccumulator,
  IndexedSlices,
  internals,
  type FloatArray,
  type Gradient,
  type GradientAndVariable,
  type Variable,
} from 'gradstep';
import type { Communicator } from './communicator';
import { sharesOf, type ShareGradients } from './gradients';
import { gradientOf, Has, newArray, partsOf, scaledBy } from './pieces';

const { alias, sharedArrays, timesFactor } = internals;

/** The mean over all shares. The gradients are rank 0's alone; others have none. */
export interface Mean {
  readonly loss: number;
  readonly gradients: readonly (Gradient | null)[];
  /** Whether rank 0 has been told to stop; then there are no gradients. */
  readonly isStopping: boolean;
}

interface Shares {
  readonly rank: number;
  readonly workers: number;
  readonly shares: number;
}

/** What is told of a share: its loss, and for each variable what it has, and how many rows. */
const numbersOf = (variables: number): number => 1 + 2 * variables;

/**
 * The mean of the gradients of shares that several ranks have, with the bits that a `GradientAccumulator` gives them one
 * after the other. First all ranks tell each other what they have; sums of dense gradients are made where they lie, each
 * rank making its part of them; rows are brought to rank 0, as their sum depends on which there are.
 */
export class MeanGradients {
  private readonly told: Float64Array;
  private readonly all: Float64Array;
  private readonly factor: number;
  private sums: readonly FloatArray[] | null = null;

  constructor(
    private readonly variables: readonly Variable[],
    private readonly start: Shares,
  ) {
    const [first, end] = sharesOf(start.rank, start.workers, start.shares);
    const each = numbersOf(variables.length);
    this.told = new Float64Array(1 + (end - first) * each);
    this.all = new Float64Array(start.workers + start.shares * each);
    this.factor = 1 / start.shares;
  }

  /** @throws what the communicator throws; then nothing has changed. */
  of(communicator: Communicator, own: readonly ShareGradients[], isStopping: boolean): Mean {
    this.tell(own, isStopping);
    communicator.allGather(this.told, this.all);
    if (this.all[0] !== 0) return { loss: NaN, gradients: [], isStopping: true };
    const { variables } = this;
    const dense: number[] = [];
    const sparse: number[] = [];
    variables.forEach((_, i) => {
      const kinds = this.kindsOf(i);
      if (kinds.includes(Has.Rows)) sparse.push(i);
      else if (kinds.includes(Has.All)) dense.push(i);
    });
    const gradients = new Array<Gradient | null>(variables.length).fill(null);
    if (dense.length > 0) this.sum(communicator, own, dense, gradients);
    if (sparse.length > 0) this.gather(communicator, own, sparse, gradients);
    return { loss: this.meanLoss(), gradients, isStopping: false };
  }

  private tell(own: readonly ShareGradients[], isStopping: boolean): void {
    const { told, variables } = this;
    told[0] = isStopping ? 1 : 0;
    let at = 1;
    for (const { loss, gradients } of own) {
      told[at++] = loss;
      for (let i = 0; i < variables.length; i++) {
        const gradient = gradients[i];
        const isRows = gradient instanceof IndexedSlices;
        told[at++] = isRows ? Has.Rows : gradient ? Has.All : Has.Nothing;
        told[at++] = isRows ? gradient.indices.length : 0;
      }
    }
  }

  /** Where what was told of a share begins. */
  private startOf(share: number): number {
    const { workers, shares } = this.start;
    let rank = 0;
    while (share >= sharesOf(rank, workers, shares)[1]) rank++;
    return rank + 1 + share * numbersOf(this.variables.length);
  }

  private kindsOf(variable: number): Has[] {
    return Array.from({ length: this.start.shares }, (_, share) => this.all[this.startOf(share) + 1 + 2 * variable]!);
  }

  private rowsOf(share: number, variable: number): number {
    return this.all[this.startOf(share) + 2 + 2 * variable]!;
  }

  private meanLoss(): number {
    let sum = 0;
    for (let share = 0; share < this.start.shares; share++) sum += this.all[this.startOf(share)]!;
    return sum * this.factor;
  }

  private sum(
    communicator: Communicator,
    own: readonly ShareGradients[],
    which: readonly number[],
    gradients: (Gradient | null)[],
  ): void {
    const terms = own.map((share) => which.map((i) => valuesOf(share.gradients[i] ?? null)));
    const isRoot = this.start.rank === 0;
    if (isRoot) this.sums ??= sharedArrays(this.variables);
    const out = isRoot ? which.map((i) => this.sums![i]!) : [];
    communicator.reduce(terms, out);
    if (!isRoot) return;
    for (const i of which) {
      const { dtype, shape } = this.variables[i]!;
      gradients[i] = timesFactor(alias(this.sums![i]!, dtype, shape), this.factor);
    }
  }

  private gather(
    communicator: Communicator,
    own: readonly ShareGradients[],
    which: readonly number[],
    gradients: (Gradient | null)[],
  ): void {
    const { workers, shares, rank } = this.start;
    const byShare = new Array<GradientAndVariable[]>(shares);
    const most = Math.ceil(shares / workers);
    // The first share of each rank, then the second, and so on: ranks may have one more than others.
    for (let k = 0; k < most; k++) {
      const arrays = which.flatMap((i) => partsOf(own[k]?.gradients[i] ?? null, this.variables[i]!));
      const ofRanks = Array.from({ length: workers }, (_, other) => {
        const [first, end] = sharesOf(other, workers, shares);
        return first + k < end ? first + k : null;
      });
      const out = rank === 0 ? which.flatMap((i) => this.placesFor(ofRanks, i)) : [];
      communicator.gather(arrays, out);
      if (rank === 0) this.take(ofRanks, which, out, byShare);
    }
    if (rank !== 0) return;
    const accumulator = new GradientAccumulator({ reductionType: 'SUM' });
    for (const pairs of byShare) if (pairs.some(([gradient]) => gradient !== null)) accumulator.add(pairs);
    for (const [gradient, variable] of accumulator.take()) {
      gradients[this.variables.indexOf(variable)] = gradient && scaledBy(this.factor, gradient);
    }
  }

  /** What a share has of a variable: how many values, and indices. */
  private lengthsOf(share: number | null, variable: number): readonly [number, number] {
    if (share === null) return [0, 0];
    const { size, shape } = this.variables[variable]!;
    const has = this.all[this.startOf(share) + 1 + 2 * variable];
    const rows = this.rowsOf(share, variable);
    if (has === Has.All) return [size, 0];
    return has === Has.Rows ? [(rows * size) / Math.max(1, shape[0]!), rows] : [0, 0];
  }

  private placesFor(shares: readonly (number | null)[], variable: number): [FloatArray, Int32Array] {
    const lengths = shares.map((share) => this.lengthsOf(share, variable));
    const sum = (k: 0 | 1) => lengths.reduce((total, length) => total + length[k], 0);
    return [newArray(this.variables[variable]!, sum(0)), new Int32Array(sum(1))];
  }

  private take(
    ofRanks: readonly (number | null)[],
    which: readonly number[],
    places: readonly (FloatArray | Int32Array)[],
    byShare: GradientAndVariable[][],
  ): void {
    const next = places.map(() => 0);
    for (const share of ofRanks) {
      if (share === null) continue;
      byShare[share] = which.map((i, at): GradientAndVariable => {
        const variable = this.variables[i]!;
        const [values, indices] = [0, 1].map((k) => {
          const length = this.lengthsOf(share, i)[k]!;
          const start = next[2 * at + k]!;
          next[2 * at + k] = start + length;
          return places[2 * at + k]!.subarray(start, start + length);
        }) as [FloatArray, Int32Array];
        const has = this.all[this.startOf(share) + 1 + 2 * i] as Has;
        return [gradientOf(has, values, indices, variable), variable];
      });
    }
  }
}

/** The values of a dense gradient, with its factor; undefined where there is none. */
function valuesOf(gradient: Gradient | null): FloatArray | undefined {
  return gradient === null || gradient instanceof IndexedSlices ? undefined : gradient.data;
}
