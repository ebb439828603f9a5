import { expect } from 'chai';
import { clipByGlobalNorm, createGlobalStep, GradientAccumulator } from 'gradstep';
import { SharedMemoryCommunicator, trainInWorkers } from 'gradstep/parallel';
import { join } from 'node:path';
import { models, stateOf } from '../support/models';
import type { RankData } from '../support/rank-worker';

const file = join(__dirname, '..', 'support', 'rank-worker.js');

/** A training in workers on each rank; here all of them are in one process. */
function train(name: string, ranks: number, workers: number, steps: number, others: Partial<RankData> = {}) {
  const handle = SharedMemoryCommunicator.create(ranks);
  return Array.from({ length: ranks }, async (_, rank) => {
    const model = models[name]!;
    const variables = model.variables();
    const globalStep = createGlobalStep();
    const optimizer = model.optimizer(globalStep);
    const data: RankData = { model: name, handle, rank, ...others };
    const training = trainInWorkers({
      module: file,
      variables,
      optimizer,
      globalStep,
      workers,
      steps,
      threads: 1,
      data,
    });
    await training.finished;
    return stateOf(variables, optimizer, globalStep);
  });
}

/** The same batches here: the mean over ranks of the means over their workers. */
function trainAlone(name: string, ranks: number, workers: number, steps: number) {
  const model = models[name]!;
  const variables = model.variables();
  const globalStep = createGlobalStep();
  const optimizer = model.optimizer(globalStep);
  const trained = variables.filter(({ trainable }) => trainable);
  optimizer.createSlots(trained);
  for (let step = 0; step < steps; step++) {
    const all = new GradientAccumulator();
    for (let rank = 0; rank < ranks; rank++) {
      const own = new GradientAccumulator();
      for (let worker = 0; worker < workers; worker++) {
        const batch = (step * ranks + rank) * workers + worker;
        own.add(optimizer.computeGradients(() => model.loss(variables, batch), { varList: trained }));
      }
      all.add(own.take());
    }
    optimizer.applyGradients(clipByGlobalNorm(all.take(), 0.5)[0], { globalStep });
  }
  return stateOf(variables, optimizer, globalStep);
}

describe('workers within ranks', function () {
  this.timeout(120_000);

  for (const name of ['dense', 'sparse']) {
    for (const [ranks, workers] of [
      [2, 2],
      [3, 1],
    ] as const) {
      // prettier-ignore
      it(`make the steps of one process (${name}, ${ranks} ranks of ${workers})`, async () => {
        const expected = trainAlone(name, ranks, workers, 10);
        for (const state of await Promise.all(train(name, ranks, workers, 10))) expect(state).to.deep.equal(expected);
      });
    }
  }

  it('end on all ranks when they cannot go on with one', async () => {
    const ends = await Promise.allSettled(train('dense', 2, 2, 10, { failsAt: 4 }));
    expect(ends.map(({ status }) => status)).to.deep.equal(['rejected', 'rejected']);
    const [first, second] = ends.map((end) => String((end as PromiseRejectedResult).reason));
    expect(first).to.equal('CommunicatorAborted: the communicator was aborted: the thread of rank 1 has ended');
    expect(second).to.match(/no more|the thread of rank 1 has ended/);
  });
});
