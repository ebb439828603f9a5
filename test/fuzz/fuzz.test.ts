import { writeFileSync } from 'node:fs';
import { failureOf } from './run';

/**
 * Random rows of public calls, with right and wrong arguments and user functions that misbehave. What throws has to
 * throw a clear error and to have changed nothing; what does not throw changes what it was asked to.
 *
 *   GRADSTEP_FUZZ_SEED     the first seed; a failure prints its own. Default: the same for every run.
 *   GRADSTEP_FUZZ_SECONDS  goes on for so long, with one seed after the other.
 *   GRADSTEP_FUZZ_WITHOUT  calls to leave out, by their names in calls.ts, separated by commas; a seed then makes others.
 *   GRADSTEP_FUZZ_TRACE    a file that holds the seed in use, for when the process ends with it.
 */
const { env } = process;
const firstSeed = Number(env['GRADSTEP_FUZZ_SEED'] ?? 1);
const seconds = Number(env['GRADSTEP_FUZZ_SECONDS'] ?? 0);
const without = (env['GRADSTEP_FUZZ_WITHOUT'] ?? '').split(',');
const trace = env['GRADSTEP_FUZZ_TRACE'];
const seedsInTest = 40;
const rowsOfSeed = 10;

describe('random calls', () => {
  it('throw clear errors with nothing changed, or change what they are asked to', function () {
    this.timeout(300_000 + 2000 * seconds);
    const end = Date.now() + 1000 * seconds;
    let seed = firstSeed;
    for (; seconds > 0 ? Date.now() < end : seed < firstSeed + seedsInTest; seed++) {
      if (trace !== undefined) writeFileSync(trace, `${seed}\n`);
      const failure = failureOf(seed, rowsOfSeed, { without });
      if (failure === undefined) continue;
      throw new Error(`GRADSTEP_FUZZ_SEED=${seed}:\n${failure.log.join('\n')}\n\n${failure.reason}`);
    }
    if (seconds > 0) console.log(`      seeds ${firstSeed} to ${seed - 1}, ${rowsOfSeed} rows of calls each`);
  });
});
