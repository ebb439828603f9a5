import { expect } from 'chai';
import { compile, compileStep, GradientDescentOptimizer, ops, tensor, Variable, variable } from 'gradstep';

const detach = (array: { buffer: ArrayBufferLike }): void => {
  structuredClone(array.buffer, { transfer: [array.buffer as ArrayBuffer] });
};
const x = { x: { shape: [3] } } as const;
const sgd = (learningRate: number | (() => number) = 1) => new GradientDescentOptimizer({ learningRate });

describe('memory that goes under a compiled step', () => {
  it('of an input is noticed, before the run and in the middle of it', () => {
    const w = variable([1, 1, 1]);
    const given = new Float32Array(3);
    let before = (): void => {};
    const optimizer = sgd(() => (before(), 1));
    const step = compileStep({ inputs: x, loss: ({ x }) => ops.reduceSum(ops.mul(x, w)), optimizer });
    step.runSync({ x: given });
    before = () => detach(given);
    expect(() => step.runSync({ x: given })).to.throw(RangeError, 'wrong number of elements');
    before = () => {};
    expect(() => step.runSync({ x: given })).to.throw(RangeError);
    expect([...w.data]).to.deep.equal([1, 1, 1]);
  });

  it('of a tensor, an array or a variable of the loss is noticed', () => {
    const w = Variable.over(Float32Array.of(1, 1, 1));
    const [captured, array] = [tensor([1, 2, 3]), Float32Array.of(1, 1, 1)];
    const step = compileStep({
      inputs: {},
      loss: () => ops.reduceSum(ops.mul(ops.mul(w, captured), array)),
      optimizer: sgd(),
    });
    step.runSync({});
    for (const going of [array, captured.data, w.data]) {
      detach(going);
      expect(() => step.runSync({})).to.throw(Error, '0 elements');
    }
  });

  it('of a tensor that was disposed of, or was an intermediate one, is noticed', () => {
    const captured = tensor([1, 2, 3]);
    const run = compile(() => ops.neg(captured), { inputs: {} });
    run.runSync({});
    captured.dispose();
    expect(() => run.runSync({})).to.throw('has been disposed of');
  });

  it('is asked of the engine, whatever an input says of itself', () => {
    const run = compile(({ x }) => ops.neg(x), { inputs: x });
    const liar = new Float32Array(2);
    Object.defineProperty(liar, 'length', { value: 3 });
    expect(() => run.runSync({ x: liar })).to.throw(RangeError, 'x has 2 elements, shape [3] needs 3');
    class Other extends Float32Array {
      override get length(): number {
        return 0;
      }
    }
    expect([...run.runSync({ x: Other.of(1, 2, 3) }).data]).to.deep.equal([-1, -2, -3]);
  });

  it('of results is their own, whoever disposes of which', () => {
    const run = compile(({ x }) => [ops.neg(x), ops.square(x)], { inputs: x });
    const [first, second] = run.runSync({ x: Float32Array.of(1, 2, 3) });
    first!.dispose();
    const [third] = run.runSync({ x: new Float32Array(3) });
    expect([...second!.data]).to.deep.equal([1, 4, 9]);
    expect([...third!.data]).to.deep.equal([-0, -0, -0]);
  });

  it('is what it was after ten thousand runs', () => {
    const w = variable([1, 1, 1]);
    const step = compileStep({ inputs: x, loss: ({ x }) => ops.reduceSum(ops.mul(x, w)), optimizer: sgd(0) });
    const given = new Float32Array(3);
    for (let i = 0; i < 100; i++) step.runSync({ x: given });
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 10_000; i++) step.runSync({ x: given });
    expect(process.memoryUsage().arrayBuffers - before).to.be.lessThan(65536);
  });
});
