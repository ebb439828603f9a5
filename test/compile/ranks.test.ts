import { expect } from 'chai';
import fc from 'fast-check';
import { AdamOptimizer, compileStep, ops, variable, type GradientsAndVariables } from 'gradstep';
import { DistributedOptimizer, SharedMemoryCommunicator, type Communicator } from 'gradstep/parallel';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { trainAlone } from '../parallel/support/models';
import { descriptions } from './programs';

interface Ranks<T> {
  readonly workers: readonly Worker[];
  readonly results: Promise<T[]>;
  /** Each rank has made so many steps. */
  readonly steps: number[];
}

/** Runs a program of `ranks.ts` on so many ranks, which are threads. */
function start<T>(program: string, size: number, order?: unknown): Ranks<T> {
  const handle = SharedMemoryCommunicator.create(size);
  const workers = Array.from({ length: size }, (_, rank) => {
    return new Worker(join(__dirname, 'ranks-worker.js'), { workerData: { program, order, rank, handle } });
  });
  const steps = new Array<number>(size).fill(0);
  const results = workers.map(
    (worker, rank) =>
      new Promise<T>((resolve, reject) => {
        worker.on('message', (message: { result?: T; error?: string; steps?: number }) => {
          if (message.steps !== undefined) steps[rank] = message.steps;
          else if (message.error !== undefined) reject(new Error(`rank ${rank}: ${message.error}`));
          else resolve(message.result!);
        });
        worker.once('error', reject);
        worker.once('exit', () => resolve(undefined as T));
      }),
  );
  const all = Promise.all(results).finally(() => Promise.all(workers.map((worker) => worker.terminate())));
  return { workers, results: all, steps };
}

const results = <T>(program: string, size: number, order?: unknown): Promise<T[]> =>
  start<T>(program, size, order).results;

const orders = fc.record({
  description: descriptions,
  fusionBytes: fc.constantFrom(0, 64, 200, 2 ** 20),
  isScaledOutside: fc.boolean(),
  isAsync: fc.boolean(),
  isSharded: fc.boolean(),
});

interface Fate {
  readonly error: string;
  readonly isUnchanged: boolean;
  readonly after?: string;
}

describe('a compiled step on several ranks', function () {
  this.timeout(120_000);

  for (const size of [1, 2, 3, 4]) {
    it(`leaves the bytes of the eager one, whatever it consists of (${size})`, async () => {
      const sample = fc.sample(orders, 60);
      for (const wrong of await results<string[]>('likeEager', size, sample)) expect(wrong).to.deep.equal([]);
    });

    for (const isAsync of [false, true]) {
      it(`has the bytes of one process that averages the same batches (${size}${isAsync ? ', off the event loop' : ''})`, async () => {
        const alone = trainAlone('compiled', 8, size);
        for (const rank of await results('trainCompiled', size, { steps: 8, isAsync })) {
          expect(rank).to.deep.equal(alone);
        }
      });
    }
  }

  for (const [isAsync, isSharded] of [
    [false, false],
    [true, false],
    [false, true],
    [true, true],
  ]) {
    const how = `${isAsync ? 'off the event loop' : 'at once'}${isSharded ? ', of divided slots' : ''}`;

    it(`changes nothing on any rank when one fails, and all go on (${how})`, async () => {
      const fates = await results<Fate>('oneFails', 3, { isAsync, isSharded });
      expect(fates[1]!.error).to.match(/^RangeError: an index that was computed is out of range/);
      for (const rank of [0, 2])
        expect(fates[rank]!.error).to.match(/^Error: rank 1 has no gradients for this step: an index/);
      for (const { isUnchanged, after } of fates) {
        expect(isUnchanged).to.equal(true);
        expect(after).to.equal(fates[0]!.after);
      }
    });

    it(`changes nothing when a rank is terminated in the middle (${how})`, async () => {
      const { workers, results: fates, steps } = start<Fate | undefined>('untilAborted', 3, { isAsync, isSharded });
      while (steps[1]! < 20) await new Promise((resolve) => setTimeout(resolve, 1));
      await workers[1]!.terminate();
      const [first, , last] = await fates;
      for (const fate of [first, last]) {
        expect(fate!.error).to.match(/^CommunicatorAborted: .*the thread of rank 1 has ended/);
        expect(fate!.isUnchanged).to.equal(true);
      }
    });
  }

  for (const mistake of ['another shape', 'no such row', 'another kind', 'a rate that is none']) {
    it(`is thrown on all ranks where one cannot begin it, and all go on (${mistake})`, async () => {
      for (const isAsync of [false, true]) {
        const order = { isAsync, isSharded: isAsync, check: isAsync, mistake };
        const ranks = await results<{ told: string[]; isUnchanged: boolean; after: number[] }>('oneMisses', 3, order);
        const own = ranks[1]!.told[0]!;
        expect(own).to.match(/^(Range|Type)Error: /);
        const others = `Error: rank 1 has no gradients for this step: ${own}`;
        for (const [rank, { told, isUnchanged, after }] of ranks.entries()) {
          const one = rank === 1 ? own : others;
          expect(told).to.deep.equal([one, '', one, one, '']);
          expect(isUnchanged).to.equal(true);
          expect(after).to.deep.equal(ranks[0]!.after);
        }
      }
    });
  }

  it('is refused, on all ranks, where one has compiled another', async () => {
    for (const { error, isUnchanged } of await results<Fate>('othersDiffer', 3)) {
      expect(error).to.match(/^RangeError: rank 2 runs another compiled step than rank 0/);
      expect(isUnchanged).to.equal(true);
    }
  });
});

describe('compileStep with a DistributedOptimizer', () => {
  const alone = () => SharedMemoryCommunicator.join(SharedMemoryCommunicator.create(1), 0);
  const w = () => variable([1, 2]);
  const stepWith = (optimizer: DistributedOptimizer, v = w()) =>
    compileStep({ inputs: { x: { shape: [2] } }, loss: ({ x }) => ops.reduceSum(ops.mul(x, v)), optimizer });
  const x = Float32Array.of(1, 1);

  it('refuses communicators that native code does not know', () => {
    const foreign = Object.create(alone(), { ranksOfPrograms: { value: undefined } }) as Communicator;
    expect(() => stepWith(new DistributedOptimizer(new AdamOptimizer(), foreign))).to.throw(
      TypeError,
      'a communicator of your own making',
    );
  });

  it('refuses a class that computes gradients its own way, and two exchanges', () => {
    class Own extends DistributedOptimizer {
      override computeGradients(...args: Parameters<DistributedOptimizer['computeGradients']>): GradientsAndVariables {
        return super.computeGradients(...args);
      }
    }
    expect(() => stepWith(new Own(new AdamOptimizer(), alone()))).to.throw(TypeError, 'cannot be compiled');
    const twice = new DistributedOptimizer(new DistributedOptimizer(new AdamOptimizer(), alone()), alone());
    expect(() => stepWith(twice)).to.throw(TypeError, 'twice');
  });

  it('throws CommunicatorAborted when it was aborted before, with nothing changed', async () => {
    const communicator = alone();
    const v = w();
    const step = stepWith(new DistributedOptimizer(new AdamOptimizer(), communicator), v);
    step.runSync({ x });
    const before = v.toArray();
    communicator.abort('enough');
    expect(() => step.runSync({ x })).to.throw('enough');
    const error = await step.run({ x }).then(
      () => null,
      (thrown: Error) => thrown,
    );
    expect(error).to.have.property('name', 'CommunicatorAborted');
    expect(v.toArray()).to.deep.equal(before);
  });

  it('does not use a communicator that another step uses off the event loop', async () => {
    const communicator = alone();
    const [first, second] = [w(), w()].map((v) =>
      stepWith(new DistributedOptimizer(new AdamOptimizer(), communicator), v),
    );
    const run = first!.run({ x });
    expect(() => second!.runSync({ x })).to.throw('the communicator is used by an asynchronous step');
    await run;
    second!.runSync({ x });
  });

  it('does not wait off the event loop for more ranks than there are threads', async () => {
    const communicator = SharedMemoryCommunicator.join(SharedMemoryCommunicator.create(200), 0);
    const step = stepWith(new DistributedOptimizer(new AdamOptimizer(), communicator, { check: false }));
    const error = await step.run({ x }).catch((thrown: Error) => thrown.message);
    expect(error).to.contain('UV_THREADPOOL_SIZE=200');
  });
});
