import type { Random } from '../mnist/random';
import type { Corpus } from './corpus';

/** What a step learns from: words, and for each one that stood near it and some that need not have. */
export interface Pairs {
  readonly centers: Int32Array;
  /** [pairs, 1 + negatives]: the word near the center first. */
  readonly others: Int32Array;
  /** How many words of the text have been read so far. */
  readonly read: number;
}

export interface Sampling {
  readonly batch: number;
  readonly negatives: number;
  /** How far a word may be from another to be near it. */
  readonly window: number;
  /** Words that make up a larger part of the text than this are often skipped. */
  readonly skipAbove: number;
}

const tableSize = 2 ** 20;

/**
 * Draws pairs as word2vec does: windows of random width, frequent words skipped more often than not, and negatives as often as
 * their count to the power of 3/4 says.
 *
 * Source: Mikolov et al. 2013, "Distributed Representations of Words and Phrases and their Compositionality".
 */
export class PairSampler {
  private readonly kept: Float64Array;
  private readonly table: Int32Array;

  constructor(
    { counts }: Corpus,
    private readonly sampling: Sampling,
    private readonly random: Random,
  ) {
    const total = counts.reduce((sum, count) => sum + count, 0);
    this.kept = Float64Array.from(counts, (count) => {
      const part = sampling.skipAbove / (count / total);
      return Math.sqrt(part) + part;
    });
    this.table = negativesTable(counts);
  }

  /** Batches of all sentences in an order of chance; what is left in the end goes unused. The arrays are written anew each time. */
  *pairsOf(sentences: readonly Int32Array[]): Iterable<Pairs> {
    const { batch, negatives, window } = this.sampling;
    const centers = new Int32Array(batch);
    const others = new Int32Array(batch * (1 + negatives));
    const order = Int32Array.from(sentences, (_, i) => i);
    this.random.shuffle(order);
    let [filled, read] = [0, 0];
    for (const sentence of order) {
      const words = sentences[sentence]!.filter((word) => this.random.uniform(0, 1) < this.kept[word]!);
      read += sentences[sentence]!.length;
      for (let i = 0; i < words.length; i++) {
        const reach = 1 + (this.random.next() % window);
        for (let j = Math.max(0, i - reach); j <= Math.min(words.length - 1, i + reach); j++) {
          if (j === i) continue;
          centers[filled] = words[i]!;
          this.fill(others.subarray(filled * (1 + negatives), (filled + 1) * (1 + negatives)), words[j]!);
          if (++filled < batch) continue;
          filled = 0;
          yield { centers, others, read };
        }
      }
    }
  }

  private fill(row: Int32Array, near: number): void {
    row[0] = near;
    for (let k = 1; k < row.length; k++) row[k] = this.table[this.random.next() % tableSize]!;
  }
}

/** Each word as many times as it is to be drawn out of so many times. */
function negativesTable(counts: Int32Array): Int32Array {
  const weights = Float64Array.from(counts, (count) => count ** 0.75);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const table = new Int32Array(tableSize);
  let [word, until] = [0, (weights[0]! / total) * tableSize];
  for (let i = 0; i < tableSize; i++) {
    while (i >= until && word < counts.length - 1) until += (weights[++word]! / total) * tableSize;
    table[i] = word;
  }
  return table;
}
