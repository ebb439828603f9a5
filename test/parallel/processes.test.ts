import { expect } from 'chai';
import { createGlobalStep } from 'gradstep';
import { SharedMemoryCommunicator, trainInWorkers, type TrainInWorkersOptions } from 'gradstep/parallel';
import { join } from 'node:path';
import { models, stateOf, trainAlone, trainGrouped } from './support/models';
import type { ReplicaData } from './support/replica';

const replica = join(__dirname, 'support', 'replica.js');

type Options = Partial<TrainInWorkersOptions> & { readonly data: ReplicaData };

/** One process: a training in workers, with variables of its own. */
function begin({ data, ...options }: Options) {
  const model = models[data.model]!;
  const variables = model.variables();
  const globalStep = createGlobalStep();
  const optimizer = model.optimizer(globalStep);
  const losses: number[] = [];
  const training = trainInWorkers({
    ...{ module: replica, variables, optimizer, globalStep, data, threads: 1, retries: 0 },
    onStep: ({ loss }) => void losses.push(loss),
    ...options,
  });
  return { training, losses, state: () => stateOf(variables, optimizer, globalStep) };
}

/** So many of them, which train together. */
function beginAll(count: number, options: Options) {
  const handle = SharedMemoryCommunicator.create(count);
  const processes = Array.from({ length: count }, (_, rank) => {
    return begin({ ...options, data: { ...options.data, processes: { handle, rank } } });
  });
  return { handle, processes };
}

const messageOf = (error: unknown): string => (error as Error).message;

describe('processes that train together, each with workers', function () {
  this.timeout(120_000);

  describe('have the bits of one that averages the means of all', () => {
    for (const model of ['dense', 'clipped', 'compiled', 'sparse', 'counted', 'scaled']) {
      for (const [count, workers] of [
        [2, 1],
        [2, 2],
        [3, 1],
      ] as const) {
        it(`${model}, ${count} processes of ${workers}`, async () => {
          const expected = trainGrouped(model, 9, count, workers);
          const { processes } = beginAll(count, { data: { model }, workers, steps: 9 });
          for (const { training, losses, state } of processes) {
            expect(await training.finished).to.equal(9);
            expect(state()).to.deep.equal(expected.state);
            expect(losses).to.deep.equal(expected.losses);
          }
        });
      }
    }
  });

  it('one alone is as without others', async () => {
    const { processes } = beginAll(1, { data: { model: 'dense' }, workers: 2, steps: 5 });
    await processes[0]!.training.finished;
    expect(processes[0]!.state()).to.deep.equal(trainAlone('dense', 5, 2).state);
  });

  it('stop after the same step when one is told to', async () => {
    const { processes } = beginAll(2, { data: { model: 'dense' }, workers: 2 });
    while (processes[0]!.training.steps < 10) await new Promise(setImmediate);
    const steps = await processes[1]!.training.stop();
    expect(await processes[0]!.training.finished).to.equal(steps);
    expect(processes[0]!.state()).to.deep.equal(processes[1]!.state());
  });

  it('go on when a worker dies that shares a process, with the same bits', async () => {
    const failed = new Int32Array(new SharedArrayBuffer(4));
    const data: ReplicaData = { model: 'dense', failure: 'throw', rank: 1, at: 4, failed };
    const { processes } = beginAll(2, { data, workers: 2, steps: 9, retries: 3 });
    const expected = trainGrouped('dense', 9, 2, 2);
    for (const { training, state } of processes) {
      await training.finished;
      expect(state()).to.deep.equal(expected.state);
    }
    expect(failed[0]).to.equal(1);
  });

  it('all end with an error when the communicator is aborted', async () => {
    const { handle, processes } = beginAll(2, { data: { model: 'dense', pause: 1 }, workers: 1 });
    while (processes[0]!.training.steps < 3) await new Promise(setImmediate);
    SharedMemoryCommunicator.abort(handle, 'host 1 is gone');
    for (const { training } of processes) {
      const message = await training.finished.then(() => 'it was fulfilled', messageOf);
      expect(message).to.equal('the communicator was aborted: host 1 is gone');
    }
  });

  it('are refused where workers do not wait for each other', async () => {
    const { processes } = beginAll(1, { data: { model: 'dense' }, workers: 1, steps: 2, mode: 'asynchronous' });
    const message = await processes[0]!.training.finished.then(() => 'it was fulfilled', messageOf);
    expect(message).to.equal("a DistributedOptimizer is for the mode 'synchronous', this training's is 'asynchronous'");
  });
});
