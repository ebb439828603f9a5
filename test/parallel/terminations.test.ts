import { expect } from 'chai';
import { createGlobalStep } from 'gradstep';
import { trainInWorkers, type Training } from 'gradstep/parallel';
import { join } from 'node:path';
import { models, stateOf, trainAlone } from './support/models';

// GRADSTEP_TERMINATIONS: how many in all; a few by default, as each takes the time that a worker needs to start.
const terminations = Number(process.env['GRADSTEP_TERMINATIONS'] ?? 12);
const timeout = 30_000 + 2000 * terminations;

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Waits until it holds. @throws what ends the training. */
async function until(training: Training, holds: () => boolean): Promise<void> {
  const ended = training.finished.then(() => true);
  ended.catch(() => {}); // who waits sees it
  while (!holds()) await Promise.race([ended, pause(1)]);
}

/** Steps whose bytes are known, the same in both runs. */
const states = new Map<string, Record<string, string>[]>();

/** The state of one thread after every number of steps up to this. */
function statesUpTo(model: string, steps: number): Record<string, string>[] {
  const known = states.get(model) ?? [];
  for (let n = known.length; n <= steps; n++) known.push(trainAlone(model, n, 2).state);
  states.set(model, known);
  return known;
}

describe('terminations', function () {
  this.timeout(timeout);

  for (const [model, share] of Object.entries({ dense: 0.4, scaled: 0.3, sparse: 0.3 })) {
    it(`at random moments leave what was before a step or is after it, and the others go on (${model})`, async () => {
      const variables = models[model]!.variables();
      const globalStep = createGlobalStep();
      const optimizer = models[model]!.optimizer(globalStep);
      const training = trainInWorkers({
        module: join(__dirname, 'support', 'replica.js'),
        workers: 2,
        variables,
        optimizer,
        globalStep,
        data: { model },
        retries: Infinity,
      });
      let killed = 0;
      const kill = async (): Promise<void> => {
        const before = training.steps;
        // Some while they start, some soon after a step, some in the middle of many.
        const wait = Math.random() * (killed % 3 === 0 ? 2 : 30);
        if (killed % 4 !== 0) await until(training, () => training.steps > before);
        await pause(wait);
        await training.workers[killed % 2]!.terminate();
        killed++;
      };
      while (killed < terminations * share) await kill();
      const seen = training.steps;
      await until(training, () => training.steps >= seen + 3); // they go on
      const steps = await training.stop();
      expect(stateOf(variables, optimizer, globalStep)).to.deep.equal(trainAlone(model, steps, 2).state);
    });
  }

  it('of all workers at once leave a whole number of steps', async () => {
    for (let round = 0; round < Math.max(2, terminations / 20); round++) {
      const variables = models['dense']!.variables();
      const globalStep = createGlobalStep();
      const optimizer = models['dense']!.optimizer(globalStep);
      const module = join(__dirname, 'support', 'replica.js');
      const options = { module, workers: 2, variables, optimizer, globalStep, data: { model: 'dense' }, retries: 0 };
      const training = trainInWorkers(options);
      const failed = training.finished.catch(() => 'failed');
      await until(training, () => training.steps >= 5);
      await pause(10 * Math.random());
      await Promise.all(training.workers.map((worker) => worker.terminate()));
      expect(await failed).to.equal('failed');
      const known = statesUpTo('dense', training.steps);
      expect(stateOf(variables, optimizer, globalStep)).to.deep.equal(known[training.steps]);
    }
  });
});
