import { expect } from 'chai';
import { createGlobalStep, holdState } from 'gradstep';
import { restoreCheckpoint, saveCheckpoint } from 'gradstep/checkpoint';
import { trainInWorkers, type Training, type TrainInWorkersOptions } from 'gradstep/parallel';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { models, stateOf, trainAlone } from './support/models';

const replica = join(__dirname, 'support', 'replica.js');

let folder: string;
let running: Training | null = null;

/** What a training is of, new. */
function contentsOf(name: string) {
  const model = models[name]!;
  const globalStep = createGlobalStep();
  return { variables: model.variables(), optimizer: model.optimizer(globalStep), globalStep };
}

function begin(model: string, options: Partial<TrainInWorkersOptions> & { pause?: number } = {}) {
  const contents = contentsOf(model);
  const { pause, ...rest } = options;
  const data = { model, ...(pause !== undefined && { pause }) };
  running = trainInWorkers({ module: replica, ...contents, workers: 2, data, ...rest });
  return { training: running, contents };
}

const stateIn = ({ variables, optimizer, globalStep }: ReturnType<typeof contentsOf>) =>
  stateOf(variables, optimizer, globalStep);

/** Saves again and again until a training is over. Returns the steps. */
async function saveMeanwhile(
  { training, contents }: ReturnType<typeof begin>,
  options: { copy?: boolean; most?: number },
): Promise<number[]> {
  const { most = 8, ...rest } = options;
  const saved: number[] = [];
  let isOver = false;
  const finished = training.finished.finally(() => (isOver = true));
  while (training.steps === 0) await new Promise(setImmediate);
  while (!isOver && saved.length < most) {
    saved.push((await saveCheckpoint(folder, contents, rest)).step);
    training.snapshot();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await training.stop();
  await finished;
  return saved;
}

/** That the checkpoint of a step has the bytes of one thread after as many. */
async function expectStateOf(model: string, step: number, shares: number): Promise<void> {
  const contents = contentsOf(model);
  await restoreCheckpoint(folder, contents, { step });
  expect(stateIn(contents), `step ${step}`).to.deep.equal(trainAlone(model, step, shares).state);
}

async function failureOf(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    () => new Error('it did not fail'),
    (error: unknown) => error as Error,
  );
}

describe('a checkpoint that is saved while workers train', function () {
  this.timeout(120_000);
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'gradstep-workers-'))));
  afterEach(async () => {
    await running?.stop().catch(() => {});
    running = null;
    rmSync(folder, { recursive: true, force: true });
  });

  for (const copy of [true, false]) {
    for (const model of ['dense', 'sparse']) {
      it(`is that of one step: ${model}, ${copy ? 'from a copy' : 'without a copy'}`, async () => {
        const saved = await saveMeanwhile(begin(model), { copy });
        expect(new Set(saved).size).to.be.above(2);
        for (const step of new Set(saved)) await expectStateOf(model, step, 2);
      });
    }

    it(`is that of one step where workers do not wait for each other, ${copy ? 'copied' : 'or not'}`, async () => {
      const saved = await saveMeanwhile(begin('line', { mode: 'asynchronous', useLocking: true }), { copy });
      for (const step of new Set(saved)) await expectStateOf('line', step, 1);
    });

    it(`is that of one step of replicas, ${copy ? 'copied' : 'or not'}`, async () => {
      const saved = await saveMeanwhile(begin('line', { mode: 'replicas', workers: 3 }), { copy });
      for (const step of new Set(saved)) await expectStateOf('line', step, 1);
    });
  }

  it('has the loss scale of that step', async () => {
    const saved = await saveMeanwhile(begin('scaled', { pause: 2 }), { most: 4 });
    for (const step of saved) {
      const contents = contentsOf('scaled');
      await restoreCheckpoint(folder, contents, { step });
      // Steps that were left out are not counted.
      const known = Array.from({ length: 2 * step + 8 }, (_, n) => JSON.stringify(trainAlone('scaled', n, 2).state));
      expect(known).to.include(JSON.stringify(stateIn(contents)));
    }
  });

  it('holds no longer than it takes, also when it fails', async () => {
    const { training, contents } = begin('dense');
    const hold = (use: () => Promise<unknown>) => holdState([contents.globalStep], use);
    await hold(async () => {
      const { steps } = training;
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(training.steps).to.equal(steps);
      expect(training.snapshot()).to.have.lengthOf(3);
    });
    expect((await failureOf(hold(() => Promise.reject(new Error('no'))))).message).to.equal('no');
    // Two that have nothing in common but the training.
    await Promise.all(
      [...contents.variables, contents.optimizer].map((part) => holdState([part], () => Promise.resolve())),
    );
    const { steps } = training;
    while (training.steps < steps + 10) await new Promise(setImmediate);
  });

  it('lets workers die and be replaced meanwhile, and the training end', async () => {
    const { training, contents } = begin('dense');
    while (training.steps < 3) await new Promise(setImmediate);
    await holdState([contents.optimizer], async () => {
      await training.workers[0]!.terminate();
      await new Promise((resolve) => setTimeout(resolve, 100));
    });
    const { steps } = training;
    while (training.steps < steps + 10) await new Promise(setImmediate);
    let isOver = false;
    const finished = training.finished.then(() => (isOver = true));
    await holdState([contents.optimizer], async () => {
      void training.stop();
      await new Promise((resolve) => setTimeout(resolve, 100));
    });
    await finished;
    expect(isOver).to.equal(true);
    expect(stateIn(contents)).to.deep.equal(trainAlone('dense', training.steps, 2).state);
  });

  it('is not restored before they have stopped', async () => {
    const { training, contents } = begin('dense');
    const { step } = await saveCheckpoint(folder, contents);
    const error = await failureOf(restoreCheckpoint(folder, contents));
    expect(error.message).to.match(/being trained in workers: await training\.stop\(\)/);
    await training.stop();
    await restoreCheckpoint(folder, contents);
    expect(contents.globalStep.value).to.equal(step);
  });
});
