import { Failure } from '../mnist/failure';

/** Sentences of words as numbers. */
export interface Corpus {
  /** The more frequent a word, the earlier. */
  readonly words: readonly string[];
  readonly counts: Int32Array;
  readonly numberOf: ReadonlyMap<string, number>;
  /** Without the words that are too rare. */
  readonly sentences: readonly Int32Array[];
  /** Sentences to look how well it does on what it has not read. */
  readonly unread: readonly Int32Array[];
  /** How many words there are to be read, repeated ones too. */
  readonly length: number;
}

const unreadEvery = 50;

/** @throws Failure when hardly a word is frequent enough. */
export function corpusOf(glosses: readonly (readonly string[])[], minCount: number): Corpus {
  const countOf = new Map<string, number>();
  for (const gloss of glosses) for (const word of gloss) countOf.set(word, (countOf.get(word) ?? 0) + 1);
  const frequent = [...countOf].filter(([, count]) => count >= minCount);
  if (frequent.length < 10) throw new Failure(`only ${frequent.length} words occur ${minCount} times or more`);
  frequent.sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
  const words = frequent.map(([word]) => word);
  const numberOf = new Map(words.map((word, i) => [word, i]));
  const all = glosses.map((gloss) =>
    Int32Array.from(gloss.map((word) => numberOf.get(word) ?? -1).filter((number) => number >= 0)),
  );
  const isUnread = (i: number): boolean => i % unreadEvery === unreadEvery - 1;
  const sentences = all.filter((_, i) => !isUnread(i));
  return {
    words,
    counts: Int32Array.from(frequent, ([, count]) => count),
    numberOf,
    sentences,
    unread: all.filter((_, i) => isUnread(i)),
    length: sentences.reduce((sum, { length }) => sum + length, 0),
  };
}
