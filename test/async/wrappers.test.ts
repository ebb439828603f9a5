import { expect } from 'chai';
import {
  AdamOptimizer,
  clipByGlobalNorm,
  clipByGlobalNormAsync,
  createGlobalStep,
  DynamicLossScale,
  ExponentialMovingAverage,
  GradientAccumulator,
  GradientDescentOptimizer,
  gradients,
  IndexedSlices,
  MixedPrecisionLossScaleOptimizer,
  OptimizerWrapper,
  ops,
  SyncReplicasOptimizer,
  tensor,
  variable,
  type Optimizer,
  type Tensor,
} from 'gradstep';
import { expectRejection } from '../support/promises';

const noise = (i: number, length: number): Float32Array =>
  Float32Array.from({ length }, (_, k) => Math.sin(12.9898 * (i + 1) + 78.233 * (k + 1)) * 2);
const bytes = (array: ArrayLike<number>): string => Buffer.from(Float64Array.from(array).buffer).toString('hex');

describe('MixedPrecisionLossScaleOptimizer off the event loop', () => {
  it('leaves out the steps that it leaves out on it', async () => {
    const train = async (isAsync: boolean) => {
      const v = variable([1, 2, 3]);
      const scale = new DynamicLossScale({ initialLossScale: 64, incrementPeriod: 2 });
      const optimizer = new MixedPrecisionLossScaleOptimizer(new AdamOptimizer(), scale);
      const globalStep = createGlobalStep();
      const made: Promise<boolean>[] = [];
      for (let i = 0; i < 9; i++) {
        const gradient = noise(i, 3);
        if (i % 4 === 2) gradient[1] = i % 8 === 2 ? NaN : Infinity;
        const pairs = [[gradient, v]] as const;
        made.push(
          isAsync
            ? optimizer.applyGradientsAsync(pairs, { globalStep })
            : Promise.resolve(optimizer.applyGradients(pairs, { globalStep })),
        );
      }
      const all = await Promise.all(made);
      return [all, bytes(v.data), globalStep.value, scale.value, scale.goodSteps];
    };
    expect(await train(true)).to.deep.equal(await train(false));
  });

  it('looks at gradients whose squares overflow one by one', async () => {
    const v = variable(new Float64Array(2));
    const optimizer = new MixedPrecisionLossScaleOptimizer(
      new GradientDescentOptimizer({ learningRate: 1 }),
      'dynamic',
    );
    expect(await optimizer.applyGradientsAsync([[Float64Array.of(1e300, 1), v]])).to.equal(true);
    expect(v.toArray()).to.deep.equal([-1e300, -1]);
  });

  it('has its scale in turn', async () => {
    const optimizer = new MixedPrecisionLossScaleOptimizer(new AdamOptimizer(), 'dynamic');
    const v = variable([1]);
    const over = optimizer.applyGradientsAsync([[Float32Array.of(NaN), v]]);
    expect(() => optimizer.applyGradients([[Float32Array.of(1), v]])).to.throw(
      Error,
      'is used by an asynchronous step',
    );
    await optimizer.idle();
    expect(await over).to.equal(false);
    expect(optimizer.applyGradients([[Float32Array.of(1), v]])).to.equal(true);
  });
});

describe('SyncReplicasOptimizer off the event loop', () => {
  it('makes the steps that it makes on it, with averages', async () => {
    const train = async (isAsync: boolean) => {
      const [v, table] = [variable([1, 2], { name: 'v' }), variable(noise(5, 6), { shape: [3, 2], name: 'table' })];
      const globalStep = createGlobalStep();
      const averages = new ExponentialMovingAverage(0.5);
      const optimizer = new SyncReplicasOptimizer(new AdamOptimizer(), {
        replicasToAggregate: 2,
        totalNumReplicas: 3,
        numTokens: 0,
        variableAverages: averages,
      });
      const seen: unknown[] = [];
      for (let i = 0; i < 12; i++) {
        const replica = i % 3;
        if (optimizer.isWaiting(replica)) continue;
        const rows = new IndexedSlices(tensor(noise(i, 4), [2, 2]), [i % 3, 0]);
        const pairs = [[noise(i, 2), v] as const, [rows, table] as const];
        const options = { globalStep, replica };
        seen.push(
          isAsync ? await optimizer.applyGradientsAsync(pairs, options) : optimizer.applyGradients(pairs, options),
        );
      }
      return [
        seen,
        bytes(v.data),
        bytes(table.data),
        globalStep.value,
        bytes(averages.average(v)!.data),
        optimizer.tokens,
      ];
    };
    expect(await train(true)).to.deep.equal(await train(false));
  });

  it('refuses a replica that waits when its turn comes', async () => {
    const v = variable([1]);
    const globalStep = createGlobalStep();
    const optimizer = new SyncReplicasOptimizer(new AdamOptimizer(), { replicasToAggregate: 2, numTokens: 0 });
    const push = (replica: number): Promise<boolean> =>
      optimizer.applyGradientsAsync([[Float32Array.of(1), v]], { globalStep, replica });
    const [first, again] = [push(0), push(0)];
    await expectRejection(again, Error, 'replica 0 waits for the others');
    expect(await first).to.equal(true);
    expect(await push(1)).to.equal(true);
    expect(globalStep.value).to.equal(1);
  });
});

describe('GradientAccumulator', () => {
  it('gives gradients for steps off the event loop', async () => {
    const train = async (isAsync: boolean): Promise<string> => {
      const v = variable(noise(0, 50));
      const accumulator = new GradientAccumulator();
      const optimizer = new AdamOptimizer();
      for (let i = 0; i < 6; i++) {
        accumulator.add([[noise(i, 50), v]]);
        if (i % 2 === 0) continue;
        const pairs = accumulator.take();
        if (isAsync) void optimizer.applyGradientsAsync(pairs);
        else optimizer.applyGradients(pairs);
      }
      await optimizer.idle();
      return bytes(v.data);
    };
    expect(await train(true)).to.equal(await train(false));
  });
});

describe('a wrapper', () => {
  it('steps off the event loop as the optimizer inside does', async () => {
    class Plain extends OptimizerWrapper {
      constructor(optimizer: Optimizer) {
        super(optimizer);
      }
    }
    const v = variable([1]);
    const optimizer = new Plain(new GradientDescentOptimizer({ learningRate: 1 }));
    expect(await optimizer.applyGradientsAsync([[Float32Array.of(1), v]])).to.equal(true);
    await optimizer.idle();
    expect(v.item()).to.equal(0);
  });

  it('with a way of its own to step has no steps off the event loop', async () => {
    class Twice extends OptimizerWrapper {
      constructor(optimizer: Optimizer) {
        super(optimizer);
      }
      override applyGradients(...args: Parameters<Optimizer['applyGradients']>): boolean {
        super.applyGradients(...args);
        return super.applyGradients(...args);
      }
    }
    const v = variable([1]);
    const optimizer = new Twice(new GradientDescentOptimizer({ learningRate: 1 }));
    await expectRejection(
      optimizer.applyGradientsAsync([[Float32Array.of(1), v]]),
      Error,
      'Twice has no asynchronous steps: it has applyGradients only',
    );
    expect(v.item()).to.equal(1);
  });
});

describe('moving averages', () => {
  it('are not made of a variable while it steps', async () => {
    const v = variable([1], { name: 'v' });
    const averages = new ExponentialMovingAverage(0.5);
    const optimizer = new GradientDescentOptimizer({ learningRate: 1 });
    const over = optimizer.applyGradientsAsync([[Float32Array.of(1), v]]);
    expect(() => averages.apply([v])).to.throw(Error, "variable 'v' is used by an asynchronous step");
    await over;
    averages.apply([v]);
    expect(averages.average(v)!.item()).to.equal(0);
  });
});

describe('clipByGlobalNormAsync', () => {
  it('gives what clipByGlobalNorm gives, to the bit', async () => {
    const make = () => {
      const [v, w] = [variable(noise(1, 40_000)), variable(Float64Array.from(noise(2, 30)))];
      const rows = new IndexedSlices(tensor(noise(3, 4), [2, 2]), [0, 1], [3, 2]);
      return [noise(4, 100), tensor(noise(5, 70_000)), null, v, w, rows] as const;
    };
    const values = (list: readonly unknown[]): unknown[] =>
      list.map((entry) => {
        if (entry === null) return null;
        const given = entry instanceof IndexedSlices ? entry.values : (entry as Tensor | Float32Array);
        return bytes('data' in given ? given.data : given);
      });
    for (const options of [{}, { useNorm: 3 }, { nonFinite: 'zero' as const }]) {
      const [clipped, norm] = clipByGlobalNorm(make(), 2, options);
      const [clipped2, norm2] = await clipByGlobalNormAsync(make(), 2, options);
      expect([norm2, values(clipped2)]).to.deep.equal([norm, values(clipped)]);
    }
  });

  it('takes what computeGradients gives, and gives what steps take', async () => {
    const train = async (isAsync: boolean): Promise<string> => {
      const v = variable(noise(0, 20));
      const optimizer = new AdamOptimizer({ learningRate: 0.1 });
      for (let i = 0; i < 5; i++) {
        const pairs = optimizer.computeGradients(() => ops.reduceSum(ops.square(v)));
        if (isAsync) {
          const [clipped, norm] = await clipByGlobalNormAsync(pairs, 1);
          expect([norm, clipped.loss.item()]).to.deep.equal([clipByGlobalNorm(pairs, 1)[1], pairs.loss.item()]);
          await optimizer.applyGradientsAsync(clipped);
        } else {
          optimizer.applyGradients(clipByGlobalNorm(pairs, 1)[0]);
        }
      }
      return bytes(v.data);
    };
    expect(await train(true)).to.equal(await train(false));
  });

  it('is rejected with what clipByGlobalNorm throws, and where gradients are computed', async () => {
    await expectRejection(clipByGlobalNormAsync(5 as never, 1), TypeError, 'tList must be an array');
    await expectRejection(clipByGlobalNormAsync([Float32Array.of(1)], 'x' as never), TypeError, 'clipNorm');
    await expectRejection(clipByGlobalNormAsync([5 as never], 1), TypeError, 'an entry of tList');
    await expectRejection(
      clipByGlobalNormAsync([Float32Array.of(NaN)], 1, { nonFinite: 'error' }),
      Error,
      'the gradients are not finite',
    );
    const v = variable([1, 2]);
    const refused: Promise<void>[] = [];
    gradients(() => {
      const y = ops.square(v);
      refused.push(expectRejection(clipByGlobalNormAsync([y], 1), Error, 'clipByGlobalNormAsync has no gradient'));
      return y;
    }, [v]);
    await Promise.all(refused);
    expect(await clipByGlobalNormAsync([], 1)).to.deep.equal([[], 0]);
  });
});
