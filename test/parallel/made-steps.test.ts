import { expect } from 'chai';
import { createGlobalStep, GradientDescentOptimizer, variable } from 'gradstep';
import { Metrics } from 'gradstep/metrics';
import { trainInWorkers, type MadeStep, type StepReport } from 'gradstep/parallel';
import { join } from 'node:path';
import { models } from './support/models';
import type { Hook } from './support/made-steps-worker';

interface Told {
  readonly made: MadeStep;
  readonly rank: number;
}

function begin(data: Hook, steps: number) {
  const reports: StepReport[] = [];
  const training = trainInWorkers({
    module: join(__dirname, 'support', 'made-steps-worker.js'),
    variables: [variable([1, 2], { name: 'w' })],
    optimizer: new GradientDescentOptimizer({ learningRate: 0.1 }),
    workers: 2,
    steps,
    data,
    retries: 0,
    onStep: (report) => void reports.push(report),
  });
  const told: Told[] = [];
  for (const worker of training.workers) {
    worker.on('message', (message: object) => void ('made' in message && told.push(message as Told)));
  }
  return { training, reports, told };
}

const errorOf = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    () => new Error('it did not'),
    (e: Error) => e,
  );

describe('onStep of a replica', function () {
  this.timeout(60_000);

  it('is told of each step by the worker that makes it, in order, with the losses that the main thread is told', async () => {
    const { training, reports, told } = begin('tells', 50);
    await training.finished;
    expect(told.map(({ rank }) => rank)).to.deep.equal(reports.map(() => 0));
    expect(told.map(({ made: { step, loss } }) => ({ step, loss }))).to.deep.equal(reports);
    expect(told.every(({ made: { seconds, applied } }) => seconds > 0 && seconds < 60 && applied)).to.equal(true);
  });

  it('is called when the step has been made, and ends the worker by what it throws', async () => {
    const { training } = begin('throws', 50);
    expect((await errorOf(training.finished)).message).to.equal('mine');
    expect(training.steps).to.equal(1);
  });

  it('is a function', async () => {
    const { training } = begin('none', 1);
    expect((await errorOf(training.finished)).message).to.equal('onStep must be a function, got 5');
    expect(training.steps).to.equal(0);
  });

  it('is told which steps a loss scale has left out', async () => {
    const metrics = Metrics.create();
    const model = models['scaled']!;
    const globalStep = createGlobalStep();
    await trainInWorkers({
      module: join(__dirname, 'support', 'replica.js'),
      variables: model.variables(),
      optimizer: model.optimizer(globalStep),
      globalStep,
      workers: 2,
      steps: 40,
      data: { model: 'scaled', metrics: metrics.share() },
    }).finished;
    const total = (name: string): number =>
      metrics
        .collect()
        .find((family) => family.name === name)!
        .samples.reduce((sum, { value }) => sum + value, 0);
    expect(total('gradstep_steps_total')).to.equal(globalStep.value);
    expect(total('gradstep_skipped_steps_total')).to.equal(40 - globalStep.value);
    expect(globalStep.value).to.be.within(1, 39);
  });
});
