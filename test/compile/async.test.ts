import { expect } from 'chai';
import fc from 'fast-check';
import {
  AdamOptimizer,
  compile,
  compileStep,
  createGlobalStep,
  GradientDescentOptimizer,
  MixedPrecisionLossScaleOptimizer,
  ops,
  tensor,
  variable,
  Variable,
  type Tensor,
} from 'gradstep';
import { bytesOf } from '../support/parity';
import { expectRejection } from '../support/promises';
import { batchOf, compiled, compiledAsync, descriptions, remains, worldOf } from './programs';

const x = { x: { shape: [2] } } as const;
const sgd = (learningRate: number | (() => number) = 0.5) => new GradientDescentOptimizer({ learningRate });
const product = (w: Variable) => ({ inputs: x, loss: ({ x }: { x: Tensor }) => ops.reduceSum(ops.mul(x, w)) });

describe('a compiled step off the event loop', () => {
  it('leaves the bytes of one on it, also where several wait for their turn', async function () {
    this.timeout(120_000);
    await fc.assert(
      fc.asyncProperty(descriptions, async (description) => {
        const [sync, other] = [worldOf(description), worldOf(description)];
        const [run, start] = [compiled(sync, description), compiledAsync(other, description)];
        const batches = [0, 1, 2, 3].map((step) => batchOf(description, step));
        const expected = batches.map(run);
        const found = await Promise.all(batches.map(start));
        expect(found).to.deep.equal(expected);
        expect(bytesOf(remains(other)) === bytesOf(remains(sync))).to.equal(true);
      }),
      { numRuns: 150 },
    );
  });

  it('takes a copy of inputs that could be transferred, before the call returns', async () => {
    const w = variable([0, 0]);
    const step = compileStep({ ...product(w), optimizer: sgd(1) });
    const [given, second] = [Float32Array.of(1, 2), Float32Array.of(10, 20)];
    const runs = [step.run({ x: given }), step.run({ x: tensor(second) })];
    given.fill(100);
    structuredClone(given.buffer, { transfer: [given.buffer] });
    await Promise.all(runs);
    expect([...w.data]).to.deep.equal([-11, -22]);
  });

  it('reads tensors of the loss that could be transferred, as they are when its turn comes', async () => {
    const [w, factor] = [variable([0, 0]), tensor([1, 2])];
    const step = compileStep({ ...product(w), loss: () => ops.reduceSum(ops.mul(factor, w)), optimizer: sgd(1) });
    const run = step.run({ x: new Float32Array(2) });
    structuredClone(factor.data.buffer, { transfer: [factor.data.buffer as ArrayBuffer] });
    await run;
    expect([...w.data]).to.deep.equal([-1, -2]);
    await expectRejection(step.run({ x: new Float32Array(2) }), Error, 'memory now has 0 elements');
  });

  it('waits its turn behind steps of the same variables, and refuses to run on the loop meanwhile', async () => {
    const w = variable([1, 1]);
    const optimizer = new AdamOptimizer();
    const step = compileStep({ ...product(w), optimizer, globalStep: createGlobalStep() });
    const predict = compile(() => ops.mul(w, 2), { inputs: {} });
    const given = new Float32Array(2).fill(1);
    const run = step.run({ x: given });
    const prediction = predict.run({});
    expect(() => step.runSync({ x: given })).to.throw('asynchronous step');
    expect(() => optimizer.minimize(() => ops.l2Loss(w))).to.throw('asynchronous step');
    expect(() => w.assign([0, 0])).to.throw('asynchronous step');
    await run;
    const after = Array.from(w.data, (value) => value * 2);
    expect([...(await prediction).data]).to.deep.equal(after);
    await optimizer.idle();
    step.runSync({ x: given });
  });

  it('leaves steps out, and counts, in turn', async () => {
    const w = variable([1, 1]);
    const optimizer = new MixedPrecisionLossScaleOptimizer(sgd(), 'dynamic');
    const globalStep = createGlobalStep();
    const step = compileStep({ ...product(w), optimizer, globalStep });
    const results = await Promise.all(
      [1, Infinity, 2].map((value) => step.run({ x: new Float32Array(2).fill(value) })),
    );
    expect(results.map(({ applied }) => applied)).to.deep.equal([true, false, true]);
    expect([globalStep.value, optimizer.lossScale.value]).to.deep.equal([2, 2 ** 14]);
  });

  it('rejects what runSync throws, and goes on', async () => {
    const table = variable([[1], [2]]);
    const step = compileStep({
      inputs: { rows: { shape: [1], dtype: 'int32' } },
      loss: ({ rows }) => ops.reduceSum(ops.gather(table, rows)),
      optimizer: sgd(1),
    });
    const runs = [step.run({ rows: [0] }), step.run({ rows: [2] }), step.run({ rows: [1] }), step.run({} as never)];
    const settled = await Promise.allSettled(runs);
    expect(settled.map(({ status }) => status)).to.deep.equal(['fulfilled', 'rejected', 'fulfilled', 'rejected']);
    await expectRejection(runs[1]!, RangeError, 'rows[0] is 2, expected 0 to 2 (exclusive)');
    expect([...table.data]).to.deep.equal([0, 1]);
  });

  it('refuses variables whose memory could be transferred', async () => {
    const w = Variable.over(new Float32Array(2));
    const step = compileStep({ ...product(w), optimizer: sgd() });
    await expectRejection(step.run({ x: new Float32Array(2) }), Error, 'lies in a plain ArrayBuffer');
  });
});
