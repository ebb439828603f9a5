import { commandLine, digits, positive, seed, threads, whole } from '../shared/options';

export interface Options {
  readonly epochs: number;
  readonly batch: number;
  readonly hidden: number;
  readonly latent: number;
  readonly learningRate: number;
  readonly seed: number;
  readonly threads?: number;
  readonly data?: string;
  readonly out: string;
}

/** Ends the process for `--help`, and with one line for options that make no sense. */
export function parseOptions(argv: readonly string[]): Options {
  return commandLine(
    'npm run example:vae --',
    'Trains a variational autoencoder on MNIST, and lets it draw digits that nobody has written.',
  )
    .option('--epochs <n>', 'how often to go through all images', whole(1, 1000), 20)
    .option('--batch <n>', 'images per step', whole(1, 10_000), 128)
    .option('--hidden <n>', 'units of the hidden layers', whole(1, 10_000), 400)
    .option('--latent <n>', 'dimensions of what an image is made of', whole(1, 1000), 20)
    .option('--learning-rate <x>', 'of the first step, falling to 0', positive, 0.002)
    .option(...seed())
    .option(...threads)
    .option(...digits)
    .option('--out <folder>', 'where to write the weights and the picture', 'build/vae')
    .parse(argv)
    .opts<Options>();
}
