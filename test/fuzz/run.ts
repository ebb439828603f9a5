import * as fc from 'fast-check';
import { runtime } from 'gradstep';
import { calls, type Call } from './calls';
import { Picks } from './picks';
import { Violation, World } from './world';

class Command implements fc.Command<object, World> {
  constructor(
    private readonly name: string,
    private readonly call: Call,
    private readonly numbers: readonly number[],
  ) {}

  check(): boolean {
    return true;
  }

  run(_model: object, world: World): void {
    this.call(world, new Picks(this.numbers));
    world.rethrow();
  }

  toString(): string {
    return this.name;
  }
}

const numbers = fc.array(fc.noBias(fc.nat(2 ** 16 - 1)), { minLength: 64, maxLength: 64, size: 'max' });

function commandsWithout(names: readonly string[]): ReturnType<typeof fc.commands<object, World>> {
  const kinds = Object.entries(calls).filter(([name]) => !names.includes(name));
  return fc.commands(
    kinds.flatMap(([name, [call, weight]]) => {
      const command = numbers.map((row) => new Command(name, call, row));
      return new Array<typeof command>(weight).fill(command);
    }),
    { maxCommands: 60, size: 'max' },
  );
}

/** What a seed's rows of calls have found to be wrong. */
export interface Failure {
  /** What was called, the shortest row that still fails. */
  readonly log: readonly string[];
  readonly reason: string;
}

/**
 * Makes the rows of calls of a seed, each in a world of its own.
 * @param without names of calls to leave out.
 */
export function failureOf(
  seed: number,
  rows: number,
  { without = [] as readonly string[], shrink = true } = {},
): Failure | undefined {
  let log: readonly string[] = [];
  const property = fc.property(commandsWithout(without), (row) => {
    const { isa, threads } = runtime;
    const world = new World();
    try {
      fc.modelRun(() => ({ model: {}, real: world }), row);
    } catch (error) {
      log = world.log;
      throw error;
    } finally {
      runtime.useIsa(isa);
      runtime.threads = threads;
    }
  });
  const { failed, errorInstance } = fc.check(property, { seed, numRuns: rows, endOnFailure: !shrink });
  if (!failed) return undefined;
  const error = errorInstance as Error;
  return { log, reason: error instanceof Violation ? error.message : `${error.stack}` };
}
