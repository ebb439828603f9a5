import { ops, tidy, type Tensor, type Variable } from 'gradstep';
import type { Random } from '../mnist/random';
import type { Corpus } from './corpus';

/** Rows of length 1, [vocabulary, features]: their products are cosines. */
const directions = (vectors: Variable): Tensor => ops.l2Normalize(vectors, 1);

/** The words whose vectors point most nearly where this one's does, the nearest first. */
export function neighbours(vectors: Variable, { words, numberOf }: Corpus, word: string, count: number): string[] {
  const number = numberOf.get(word);
  if (number === undefined) return [];
  return tidy(() => {
    const all = directions(vectors);
    const cosines = ops.reshape(ops.matMul(all, ops.gather(all, [number]), { transposeB: true }), [-1]);
    const { indices } = ops.topK(cosines, Math.min(count + 1, words.length));
    return Array.from(indices.data, (i) => words[i]!)
      .filter((other) => other !== word)
      .slice(0, count);
  });
}

/** Words that mean the same, both so frequent that something can have been learnt of them. */
export function pairsOfSynonyms(
  synonyms: readonly (readonly string[])[],
  { numberOf, counts }: Corpus,
  minCount: number,
): [number, number][] {
  const pairs = synonyms.flatMap((set) => {
    const known = [...new Set(set)].map((word) => numberOf.get(word) ?? -1).filter((i) => (counts[i] ?? 0) >= minCount);
    return known.flatMap((a, i) => known.slice(i + 1).map((b): [number, number] => [a, b]));
  });
  return [...new Map(pairs.map((pair) => [pair.join(), pair])).values()];
}

/**
 * How often a word is nearer to one that means the same than to any other one about as frequent: 0.5 is chance. Nothing of what
 * means the same has been told in training.
 */
export function synonymsNearer(vectors: Variable, pairs: readonly [number, number][], random: Random): number {
  const vocabulary = vectors.shape[0]!;
  const all = tidy(() => Float32Array.from(directions(vectors).data));
  const size = all.length / vocabulary;
  const cosine = (a: number, b: number): number => {
    let sum = 0;
    for (let k = 0; k < size; k++) sum += all[a * size + k]! * all[b * size + k]!;
    return sum;
  };
  let right = 0;
  for (const [a, b] of pairs) {
    // Words are in the order of their frequency.
    const apart = Math.max(5, Math.floor(b / 10));
    const other = Math.min(vocabulary - 1, Math.max(0, b + Math.round(random.uniform(-apart, apart))));
    if (cosine(a, b) > cosine(a, other)) right++;
  }
  return right / Math.max(1, pairs.length);
}
