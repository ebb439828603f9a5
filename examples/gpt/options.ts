import { commandLine, positive, seed, threads, whole } from '../shared/options';

export interface Options {
  readonly steps: number;
  readonly batch: number;
  readonly context: number;
  readonly layers: number;
  readonly features: number;
  readonly heads: number;
  readonly learningRate: number;
  readonly temperature: number;
  readonly characters: number;
  readonly seed: number;
  readonly threads?: number;
  readonly text?: string;
  readonly out: string;
}

/** Ends the process for `--help`, and with one line for options that make no sense. */
export function parseOptions(argv: readonly string[]): Options {
  return commandLine(
    'npm run example:gpt --',
    'Trains a transformer to say which character comes next, and lets it write.',
  )
    .option('--steps <n>', 'training steps', whole(1, 1_000_000), 2000)
    .option('--batch <n>', 'pieces of text per step', whole(1, 1024), 16)
    .option('--context <n>', 'characters of a piece', whole(2, 4096), 128)
    .option('--layers <n>', 'blocks of attention and dense layers', whole(1, 64), 4)
    .option('--features <n>', 'numbers that stand for a character', whole(1, 4096), 128)
    .option('--heads <n>', 'heads of attention', whole(1, 64), 4)
    .option('--learning-rate <x>', 'the largest, after a warm-up', positive, 0.002)
    .option('--temperature <x>', 'how daring it writes', positive, 0.8)
    .option('--characters <n>', 'how many characters it writes in the end', whole(0, 100_000), 500)
    .option(...seed())
    .option(...threads)
    .option('--text <file>', 'what to learn (default: Moby Dick)')
    .option('--out <folder>', 'where to write the weights and the picture', 'build/gpt')
    .parse(argv)
    .opts<Options>();
}
