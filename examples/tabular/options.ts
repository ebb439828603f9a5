import { commandLine, positive, seed, threads, whole } from '../shared/options';

export interface Options {
  readonly epochs: number;
  readonly folds: number;
  readonly batch: number;
  readonly buckets: number;
  readonly wideRate: number;
  readonly deepRate: number;
  readonly seed: number;
  readonly threads?: number;
  readonly table?: string;
  readonly out: string;
}

/** Ends the process for `--help`, and with one line for options that make no sense. */
export function parseOptions(argv: readonly string[]): Options {
  return commandLine(
    'npm run example:tabular --',
    'Learns from 10,000 reports of birds that were struck by aircraft which ones did damage.',
  )
    .option('--epochs <n>', 'how often to go through all rows', whole(1, 1000), 4)
    .option('--folds <n>', 'parts of which each is predicted by what has learnt the others', whole(2, 100), 5)
    .option('--batch <n>', 'rows per step', whole(1, 10_000), 100)
    .option('--buckets <n>', 'weights that the features of the wide part are hashed to', whole(1, 2 ** 24), 2 ** 16)
    .option('--wide-rate <x>', 'the learning rate of FTRL', positive, 0.1)
    .option('--deep-rate <x>', 'the learning rate of Adam', positive, 0.001)
    .option(...seed())
    .option(...threads)
    .option('--table <file>', 'birdstrikes.csv (default: that of the package vega-datasets)')
    .option('--out <folder>', 'where to write the picture', 'build/tabular')
    .parse(argv)
    .opts<Options>();
}
