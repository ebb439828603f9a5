import { commandLine, digits, positive, seed, whole } from '../shared/options';

export interface Options {
  readonly epochs: number;
  readonly batch: number;
  readonly learningRate: number;
  readonly save: number;
  readonly seed: number;
  readonly threads?: number;
  readonly data?: string;
  readonly out: string;
}

/** Ends the process for `--help`, and with one line for options that make no sense. */
export function parseOptions(argv: readonly string[]): Options {
  return commandLine(
    'mpirun -n 2 node build/ts/examples/mpi.js',
    'Trains a convolutional network on MNIST, on as many ranks as mpirun starts.',
  )
    .option('--epochs <n>', 'how often to go through all images', whole(1, 1000), 2)
    .option('--batch <n>', 'images per step, of all ranks together', whole(1, 10_000), 128)
    .option('--learning-rate <x>', 'of the first step, falling to 0', positive, 0.002)
    .option('--save <n>', 'steps from one checkpoint to the next', whole(1, 2 ** 31), 100)
    .option(...seed('the first weights and the order of images'))
    .option('--threads <n>', 'kernel threads of each rank (default: the CPUs that it is bound to)', whole(1, 256))
    .option(...digits)
    .option('--out <folder>', 'where checkpoints are, which it goes on from; for all ranks', 'build/mpi')
    .parse(argv)
    .opts<Options>();
}
