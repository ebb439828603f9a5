import { expect } from 'chai';
import {
  AdamOptimizer,
  compileStep,
  createGlobalStep,
  ExponentialMovingAverage,
  GlobalStep,
  MomentumOptimizer,
  ops,
  SyncReplicasOptimizer,
  variable,
  Variable,
  type OptimizerHandle,
  type VariableHandle,
} from 'gradstep';
import { once } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { begin, bytesOf, handlesOf, makers, step } from './support/takeover';
import type { Order } from './support/takeover-worker';

describe('handles', () => {
  let worker: Worker;
  before(() => {
    worker = new Worker(join(__dirname, 'support', 'takeover-worker.js'));
  });
  after(() => worker.terminate());

  /** Has these steps made in the other thread. */
  async function there(order: Order): Promise<void> {
    worker.postMessage(order);
    await once(worker, 'message');
  }

  describe('let another thread take an optimizer over, byte for byte', () => {
    for (const name of Object.keys(makers)) {
      for (const isSparse of [false, true]) {
        it(`${name}, ${isSparse ? 'sparse' : 'dense'}`, async () => {
          const alone = begin(name);
          const shared = begin(name);
          for (let i = 0; i < 9; i++) step(alone, i, isSparse);
          for (const i of [0, 1, 2]) step(shared, i, isSparse);
          await there({ name, handles: handlesOf(shared), steps: [3, 4, 5], isSparse });
          for (const i of [6, 7]) step(shared, i, isSparse);
          await there({ name, handles: handlesOf(shared), steps: [8], isSparse });
          expect(bytesOf(shared)).to.deep.equal(bytesOf(alone));
        });
      }
    }

    it('which has not made a step yet', async () => {
      const alone = begin('Adam');
      const shared = begin('Adam');
      for (let i = 0; i < 4; i++) step(alone, i, false);
      await there({ name: 'Adam', handles: handlesOf(shared), steps: [0, 1], isSparse: false });
      for (const i of [2, 3]) step(shared, i, false);
      const own = Object.keys(bytesOf({ ...alone, averages: new ExponentialMovingAverage(0.9) }));
      const pick = (all: Record<string, string>) => own.map((key) => [key, all[key]]);
      expect(pick(bytesOf(shared))).to.deep.equal(pick(bytesOf(alone)));
    });
  });

  it('are plain objects that can be cloned, and keep one memory', () => {
    const w = variable([1, 2, 3], { name: 'w', trainable: false });
    const other = Variable.from(structuredClone(w.share()));
    other.data[1] = 7;
    expect([...w.data]).to.deep.equal([1, 7, 3]);
    expect({ name: other.name, trainable: other.trainable, shape: other.shape }).to.deep.equal({
      name: 'w',
      trainable: false,
      shape: [3],
    });
    const globalStep = createGlobalStep();
    GlobalStep.from(structuredClone(globalStep.share())).increment();
    expect(globalStep.value).to.equal(1);
    const large = variable(new Float32Array(100_000));
    Variable.from(structuredClone(large.share())).data[99_999] = 1;
    expect(large.data[99_999]).to.equal(1);
  });

  it('of a compiled step: its statistics are in shared memory', () => {
    const w = variable([2], { name: 'w' });
    const optimizer = new AdamOptimizer();
    const step = compileStep({ inputs: {}, loss: () => ops.reduceSum(ops.square(w)), optimizer });
    const elsewhere = structuredClone(step.statistics);
    step.runSync({});
    expect([elsewhere[0], elsewhere[2]]).to.deep.equal([4, 1]);
  });

  it('are refused where memory would be copied', () => {
    const w = Variable.over(new Float32Array(2), { name: 'w' });
    expect(() => w.share()).to.throw(TypeError, "variable 'w' cannot be shared: its memory is not a fixed");
    const handle: VariableHandle = { ...variable([1]).share(), memory: new Float32Array(1) };
    expect(() => Variable.from(handle)).to.throw(TypeError, 'is not a fixed SharedArrayBuffer');
  });

  it('are refused when they are something else', () => {
    const optimizer = new AdamOptimizer();
    const w = variable([1, 2], { name: 'w' });
    const handle = optimizer.share([w]);
    expect(() => Variable.from(handle as never)).to.throw(
      TypeError,
      'handle must be one of kind \'gradstep/variable\', as share() gives it, got one of kind "gradstep/optimizer"',
    );
    expect(() => Variable.from({ ...w.share(), shape: [3] })).to.throw(
      RangeError,
      'memory of the handle has 2 elements',
    );
    expect(() => Variable.from({ ...w.share(), dtype: 'float64' })).to.throw(TypeError, 'must be an array of float64');
    expect(() => GlobalStep.from(null as never)).to.throw(TypeError, 'got null');
    expect(() => new MomentumOptimizer({ learningRate: 1, momentum: 0.9 }).adopt(handle, [w])).to.throw(
      Error,
      '"w/Adam"',
    );
    expect(() => new AdamOptimizer().adopt(handle, [variable([1, 2], { name: 'v' })])).to.throw(Error, '"w/Adam"');
    expect(() => new AdamOptimizer().adopt(handle, [7 as never])).to.throw(TypeError, 'variables must hold Variables');
    expect(() => optimizer.adopt(handle, [w])).to.throw(Error, 'has state of its own');
    const copied: OptimizerHandle = {
      ...handle,
      state: handle.state.map((entry) => ({ ...entry, memory: entry.memory.slice() })),
    };
    expect(() => new AdamOptimizer().adopt(copied, [w])).to.throw(TypeError, 'cannot be adopted');
    const sync = new SyncReplicasOptimizer(new AdamOptimizer(), { replicasToAggregate: 2 });
    expect(() => sync.share()).to.throw(Error, 'is for one thread');
  });

  it('of averages need averages that have none yet', () => {
    const w = variable([1], { name: 'w' });
    const averages = new ExponentialMovingAverage(0.5);
    averages.apply([w]);
    const handle = averages.share();
    expect(() => averages.adopt(handle, [w])).to.throw(Error, 'have been made already');
    const other = new ExponentialMovingAverage(0.5).adopt(structuredClone(handle), [w]);
    w.data[0] = 3;
    other.apply([w]);
    expect(averages.average(w)!.item()).to.equal(2);
  });
});
