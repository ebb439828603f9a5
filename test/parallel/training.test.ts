import { expect } from 'chai';
import { AdamOptimizer, createGlobalStep, variable, Variable } from 'gradstep';
import { trainInWorkers, type StepReport, type Training, type TrainInWorkersOptions } from 'gradstep/parallel';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { models, stateOf, trainAlone } from './support/models';
import type { ReplicaData } from './support/replica';

const replica = join(__dirname, 'support', 'replica.js');

interface Options extends Partial<TrainInWorkersOptions> {
  readonly data: ReplicaData;
}

let running: Training | null = null;

/** Starts a training of one of the models. */
function begin(options: Options) {
  const model = models[options.data.model]!;
  const variables = model.variables();
  const globalStep = createGlobalStep();
  const optimizer = model.optimizer(globalStep);
  const reports: StepReport[] = [];
  const onStep = (report: StepReport): void => void reports.push(report);
  const training = trainInWorkers({ module: replica, variables, optimizer, globalStep, onStep, ...options });
  running = training;
  return { training, variables, optimizer, globalStep, reports };
}

async function train(options: Options) {
  const { training, variables, optimizer, globalStep, reports } = begin(options);
  const steps = await training.finished;
  return { state: stateOf(variables, optimizer, globalStep), steps, losses: reports.map(({ loss }) => loss), reports };
}

async function errorOf(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error('it was fulfilled');
}

describe('trainInWorkers', function () {
  this.timeout(120_000);
  afterEach(async () => {
    await running?.stop().catch(() => {});
    running = null;
  });

  describe('has the bits of one thread that averages the same micro-batches', () => {
    for (const model of Object.keys(models)) {
      for (const workers of [1, 2, 3, 4]) {
        it(`${model}, ${workers} ${workers === 1 ? 'worker' : 'workers'}`, async () => {
          const { state, losses } = trainAlone(model, 12, workers);
          const trained = await train({ data: { model }, workers, steps: 12 });
          expect(trained.state).to.deep.equal(state);
          expect(trained.losses).to.deep.equal(losses);
        });
      }
      it(`${model}, the same six shares for any number of workers`, async () => {
        const { state } = trainAlone(model, 7, 6);
        for (const workers of [1, 2, 4]) {
          expect((await train({ data: { model }, workers, shares: 6, steps: 7 })).state).to.deep.equal(state);
        }
      });
    }
  });

  it('tells of every step, in order', async () => {
    const { reports, steps } = await train({ data: { model: 'dense' }, workers: 2, steps: 300 });
    expect(steps).to.equal(300);
    expect(reports.map(({ step }) => step)).to.deep.equal(Array.from({ length: 300 }, (_, i) => i));
  });

  it('stops when it is told to, between two steps', async () => {
    const { training, variables, optimizer, globalStep } = begin({ data: { model: 'dense' }, workers: 2 });
    while (training.steps < 20) await new Promise(setImmediate);
    const steps = await training.stop();
    expect(steps).to.equal(training.steps).and.to.equal(globalStep.value);
    expect(stateOf(variables, optimizer, globalStep)).to.deep.equal(trainAlone('dense', steps, 2).state);
  });

  it('goes on where another training has stopped', async () => {
    const first = begin({ data: { model: 'counted' }, workers: 2, steps: 5 });
    await first.training.finished;
    const { variables, optimizer, globalStep } = first;
    await trainInWorkers({
      module: replica,
      variables,
      optimizer,
      globalStep,
      workers: 3,
      steps: 4,
      data: { model: 'counted' },
    }).finished;
    expect(globalStep.value).to.equal(9);
  });

  describe('replaces a worker that dies, and repeats its share', () => {
    for (const failure of ['throw', 'exit'] as const) {
      for (const rank of [0, 1, 2]) {
        it(`${failure}, rank ${rank} of 3`, async () => {
          const failed = new Int32Array(new SharedArrayBuffer(4));
          const data = { model: 'dense', failure, rank, at: 5, failed };
          const trained = await train({ data, workers: 3, steps: 12 });
          expect(failed[0]).to.equal(1);
          expect(trained.state).to.deep.equal(trainAlone('dense', 12, 3).state);
        });
      }
    }
  });

  it('ends with the error of a module that keeps failing', async () => {
    const failed = new Int32Array(new SharedArrayBuffer(4));
    const data: ReplicaData = { model: 'dense', failure: 'always', rank: 1, at: 4, failed };
    const { training, globalStep } = begin({ data, workers: 2, steps: 9 });
    expect((await errorOf(training.finished)).message).to.equal('it fails always, in thread of a worker');
    expect(globalStep.value).to.equal(4);
  });

  it('ends with an error when the module defines no replica, or is not there', async () => {
    const none = begin({ data: { model: 'dense' }, workers: 2, module: join(__dirname, 'support', 'models.js') });
    expect((await errorOf(none.training.finished)).message).to.match(/models\.js did not call defineReplica/);
    const missing = begin({ data: { model: 'dense' }, workers: 2, module: join(__dirname, 'nowhere.js'), retries: 0 });
    expect((await errorOf(missing.training.finished)).message).to.match(/Cannot find module/);
  });

  it('runs modules of both kinds, by path and by URL', async () => {
    const folder = mkdtempSync(join(__dirname, 'modules-'));
    const body = `({ variables: [w] }) => ({
      optimizer: new AdamOptimizer(), loss: () => ops.reduceMean(ops.square(w.value)) })`;
    try {
      const files = {
        'a.cjs':
          'const { defineReplica } = require("gradstep/parallel"); const { AdamOptimizer, ops } = require("gradstep");',
      };
      writeFileSync(join(folder, 'a.cjs'), `${files['a.cjs']} defineReplica(${body});`);
      const imports =
        "import { defineReplica } from 'gradstep/parallel'; import { AdamOptimizer, ops } from 'gradstep';";
      writeFileSync(join(folder, 'b.mjs'), `${imports} defineReplica(${body});`);
      const results: string[] = [];
      for (const own of [join(folder, 'a.cjs'), join(folder, 'b.mjs'), pathToFileURL(join(folder, 'b.mjs'))]) {
        const w = variable([1, 2], { name: 'w' });
        const options = { module: own, variables: [w], optimizer: new AdamOptimizer(), workers: 2, steps: 3 };
        await trainInWorkers(options).finished;
        results.push(w.data.join());
      }
      expect(new Set(results).size).to.equal(1);
      expect(results[0]).not.to.equal('1,2');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('leaves this thread free, and gives it copies between two steps', async () => {
    const { training, variables } = begin({ data: { model: 'dense' }, workers: 2, steps: 2000 });
    let copies: readonly Variable[] | undefined;
    let turns = 0;
    while (training.steps < 2000) {
      copies = training.snapshot(copies);
      turns++;
      await new Promise(setImmediate);
    }
    await training.finished;
    expect(turns).to.be.above(10);
    const last = training.snapshot();
    expect(last.map(({ name }) => name)).to.deep.equal(variables.map(({ name }) => name));
    expect(last.map(({ data }) => data.join())).to.deep.equal(variables.map(({ data }) => data.join()));
  });

  it('takes copies that are those of one thread after so many steps', async () => {
    const { training } = begin({ data: { model: 'dense', pause: 1 }, workers: 2, steps: 60 });
    const seen = new Set<string>();
    while (training.steps < 60) {
      seen.add(training.snapshot()[0]!.data.join());
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await training.finished;
    const known = new Set<string>();
    const model = models['dense']!;
    for (let steps = 0; steps <= 60; steps++) known.add(kernelAfter(steps));
    expect(model).not.to.equal(undefined);
    expect([...seen].filter((one) => !known.has(one))).to.deep.equal([]);
    expect(seen.size).to.be.above(2);
  });

  for (const useLocking of [false, true]) {
    it(`makes as many steps as asked for when workers do not wait (useLocking: ${useLocking})`, async () => {
      const options = { mode: 'asynchronous', workers: 3, steps: 500, useLocking } as const;
      const { training, globalStep, reports, optimizer, variables } = begin({ data: { model: 'dense' }, ...options });
      expect(await training.finished).to.equal(500);
      expect(globalStep.value).to.equal(500);
      expect(reports).to.have.lengthOf(500);
      const power = optimizer.variables().find(({ name }) => name === 'beta1_power')!;
      let expected = 0.9;
      for (let i = 0; i < 500; i++) expected *= 0.9;
      if (useLocking) expect(power.item()).to.equal(expected);
      expect(variables.every(({ data }) => data.every(Number.isFinite))).to.equal(true);
    });
  }

  it('refuses wrong arguments before it starts anything', () => {
    const w = variable([1], { name: 'w' });
    const good = { module: replica, variables: [w], optimizer: new AdamOptimizer() };
    const start = (options: object) => () => trainInWorkers({ ...good, ...options });
    expect(start({ worker: 2 })).to.throw(TypeError, "did you mean 'workers'?");
    expect(start({ workers: 0 })).to.throw(RangeError, 'workers must be a whole number from 1 to 256, got 0');
    expect(start({ module: 7 })).to.throw(TypeError, 'module must be a path or a URL, got 7');
    expect(start({ variables: w })).to.throw(TypeError, 'variables must be an array of Variables');
    expect(start({ variables: [1] })).to.throw(TypeError, 'variables must hold Variables, got 1');
    expect(start({ optimizer: {} })).to.throw(TypeError, 'optimizer must be an Optimizer');
    expect(start({ workers: 2, shares: 1 })).to.throw(RangeError, 'shares must be a whole number from 2');
    expect(start({ mode: 'hogwild' })).to.throw(RangeError, "mode must be 'synchronous', 'asynchronous' or");
    expect(start({ steps: -1 })).to.throw(RangeError, 'steps must be');
    const frozen = variable([1], { trainable: false });
    expect(start({ variables: [frozen] })).to.throw(Error, 'No variables to train');
    const constrained = variable([1], { name: 'c', constraint: (x) => x });
    expect(start({ variables: [constrained] })).to.throw(Error, "'c' has a constraint");
    const own = Variable.over(new Float32Array(1), { name: 'own' });
    expect(start({ variables: [own] })).to.throw(TypeError, "'own' cannot be shared");
  });
});

const kernels = new Map<number, string>();

/** The first variable of the model after so many steps of two shares. */
function kernelAfter(steps: number): string {
  let known = kernels.get(steps);
  if (known === undefined) {
    const bytes = Buffer.from(trainAlone('dense', steps, 2).state['kernel']!, 'hex');
    known = new Float32Array(new Uint8Array(bytes).buffer).join();
    kernels.set(steps, known);
  }
  return known;
}
