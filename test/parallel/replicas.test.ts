import { expect } from 'chai';
import { createGlobalStep } from 'gradstep';
import { trainInWorkers, type TrainInWorkersOptions } from 'gradstep/parallel';
import { join } from 'node:path';
import { models, stateOf, trainAlone } from './support/models';

const replica = join(__dirname, 'support', 'replica.js');

function begin(model: string, options: Partial<TrainInWorkersOptions>) {
  const variables = models[model]!.variables();
  const globalStep = createGlobalStep();
  const optimizer = models[model]!.optimizer(globalStep);
  const training = trainInWorkers({
    ...{ module: replica, variables, optimizer, globalStep, mode: 'replicas', data: { model } },
    ...options,
  });
  const state = () => stateOf(variables, optimizer, globalStep);
  return { training, state, globalStep };
}

describe('replicas in workers', function () {
  this.timeout(60_000);

  it('step with every gradient of a single one', async () => {
    const { training, state } = begin('dense', { workers: 1, steps: 20, numTokens: 0 });
    expect(await training.finished).to.equal(20);
    expect(training.dropped).to.equal(0);
    expect(state()).to.deep.equal(trainAlone('dense', 20, 1).state);
  });

  it('have one gradient dropped for each token that they find at first, as in TensorFlow', async () => {
    const { training, state } = begin('line', { workers: 1, steps: 20 });
    await training.finished;
    expect(training.dropped).to.equal(1);
    expect(state()).to.deep.equal(trainAlone('line', 20, 1).state);
  });

  for (const [workers, replicasToAggregate] of [
    [2, 2],
    [3, 2],
    [3, 1],
    [2, 4],
  ] as const) {
    it(`make a step of ${replicasToAggregate} gradients of ${workers}`, async () => {
      const numTokens = Math.max(0, replicasToAggregate - workers);
      const { training, state, globalStep } = begin('line', { workers, replicasToAggregate, steps: 60, numTokens });
      expect(await training.finished).to.equal(60);
      expect(globalStep.value).to.equal(60);
      expect(state()).to.deep.equal(trainAlone('line', 60, 1).state);
    });
  }

  it('drop what comes too late, when there are more than a step needs', async () => {
    const { training } = begin('line', { workers: 3, replicasToAggregate: 1, steps: 500, numTokens: 0 });
    await training.finished;
    expect(training.dropped).to.be.above(0);
  });

  it('go on when one of them dies, and leave whole steps', async () => {
    const steps = 400;
    const options = { workers: 2, replicasToAggregate: 2, numTokens: 2, steps, retries: Infinity };
    const { training, state } = begin('line', { ...options, data: { model: 'line', pause: 1 } });
    let isOver = false;
    void training.finished.then(() => (isOver = true));
    for (let killed = 0; !isOver && killed < 8; killed++) {
      const before = training.steps;
      while (!isOver && training.steps < before + 3) await new Promise((resolve) => setTimeout(resolve, 1));
      if (!isOver) await training.workers[killed % 2]!.terminate();
    }
    expect(await training.finished).to.equal(steps);
    expect(state()).to.deep.equal(trainAlone('line', steps, 1).state);
  });

  it('say what they cannot gather', async () => {
    const { training } = begin('sparse', { workers: 1, steps: 3, retries: 0 });
    const message = await training.finished.then(
      () => 'fulfilled',
      (error: unknown) => (error as Error).message,
    );
    expect(message).to.equal("gradient of 'table' is sparse: replicas gather dense ones");
  });
});
