import { expect } from 'chai';
import fc from 'fast-check';
import { once } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { Variable, variable } from 'gradstep';
import { barsOf } from '../../examples/server/histograms';
import { History, type Point } from '../../examples/server/history';
import { ExampleQueue, row } from '../../examples/server/queue';
import { shownMemory, Weights } from '../../examples/server/shown';

describe('parts of the training server', () => {
  it('have bars that count every value, between the least and the greatest', () => {
    const values = fc.float32Array({ noNaN: true, noDefaultInfinity: true, min: -1e3, max: 1e3, minLength: 1 });
    fc.assert(
      fc.property(values, (array) => {
        const { limits, counts } = barsOf(variable([0], { name: 'w' }), array);
        expect(limits).to.have.length(counts.length + 1);
        expect(counts.reduce((a, b) => a + b, 0)).to.be.closeTo(array.length, 1e-6 * array.length);
        expect(limits[0]).to.be.at.most(Math.min(...array));
        expect(limits.at(-1)! + 1e-3).to.be.at.least(Math.max(...array));
        expect(limits.every((limit, i) => i === 0 || limit > limits[i - 1]!)).to.equal(true);
      }),
    );
  });

  it('have a history that stays short, and keeps its course', () => {
    const history = new History();
    const point = (step: number): Point => {
      return { step, loss: step, gradientNorm: 1, clipNorm: 1, learningRate: 1, examplesPerSecond: 1, time: step };
    };
    for (let step = 1; step <= 50_000; step++) {
      history.add(point(step));
      if (step % 997 !== 0) continue;
      const { points } = history;
      expect(points.length).to.be.within(Math.min(step, 1000), 2100);
      expect(points.at(-1)!.step).to.equal(step);
      expect(points.every(({ loss }, i) => i === 0 || loss > points[i - 1]!.loss)).to.equal(true);
    }
    history.cut(100);
    expect(history.points.every(({ step }) => step <= 100)).to.equal(true);
  });

  it('have a queue that gives back what it took, in its order, round and round', () => {
    const queue = new ExampleQueue(10);
    const example = (n: number): { x: number[]; y: number } => ({ x: new Array<number>(784).fill(n / 100), y: n % 10 });
    let pushed = 0;
    for (const count of [4, 6, 3, 9, 1, 10, 2, 7]) {
      const trained = pushed;
      Atomics.store(queue.memory.at, 1, BigInt(trained)); // as workers do
      const examples = Array.from({ length: count }, (_, i) => example(pushed + i));
      expect(queue.push(examples)).to.equal(true);
      pushed += count;
      expect(queue.push(new Array(11 - count).fill(example(0)))).to.equal(false);
      const { pixels, labels } = queue.since(trained);
      expect(Array.from(labels)).to.deep.equal(examples.map(({ y }) => y));
      examples.forEach(({ x }, i) => expect(row(pixels, i)[783]).to.equal(Math.fround(x[0]!)));
    }
  });

  it('show weights of one step, however fast others come', async () => {
    const originals = [variable(new Float32Array(1000), { name: 'a' }), variable(new Float32Array(500), { name: 'b' })];
    const memory = shownMemory(originals);
    const weights = new Weights(
      memory,
      originals.map(({ size }) => Variable.over(new Float32Array(size))),
    );
    const worker = new Worker(join(__dirname, 'shown-writer.js'), {
      workerData: { memory, handles: originals.map((each) => each.share()) },
    });
    const steps = new Set<number>();
    await once(worker, 'message'); // it has begun
    for (let i = 0; i < 3000; i++) {
      weights.refresh();
      const { step } = weights;
      if (weights.variables.some(({ data }) => data.some((value) => value !== step)))
        expect.fail(`torn at step ${step}`);
      steps.add(step);
    }
    await worker.terminate();
    expect(steps.size).to.be.above(1);
  });
});
