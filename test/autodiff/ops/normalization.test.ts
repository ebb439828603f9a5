import { expect } from 'chai';
import { compileStep, gradients, GradientDescentOptimizer, ops, tensor, variable, type FloatArray } from 'gradstep';
import {
  awkwardSizes,
  expectClose,
  expectFloat32,
  expectGradients,
  randomTensor,
} from '../../support/numeric-gradient';
import { dtypes, expectSameEverywhere } from '../../support/parity';

/** Mean and variance of the elements of x whose positions `of` takes to the same key. */
function statistics(x: FloatArray, of: (i: number) => number): { mean: number; variance: number }[] {
  const parts = new Map<number, number[]>();
  x.forEach((value, i) => parts.set(of(i), [...(parts.get(of(i)) ?? []), value]));
  return [...parts.keys()]
    .sort((a, b) => a - b)
    .map((key) => {
      const values = parts.get(key)!;
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      return { mean, variance: values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length };
    });
}

function normalized(x: FloatArray, of: (i: number) => number, epsilon: number): number[] {
  const parts = statistics(x, of);
  return Array.from(x, (value, i) => {
    const { mean, variance } = parts[of(i)]!;
    return (value - mean) / Math.sqrt(variance + epsilon);
  });
}

const shapes = [
  ...awkwardSizes.filter((n) => n > 0).map((n) => [3, n]),
  [5],
  [2, 3, 4],
  [0, 4],
  [3, 0],
  [70, 31],
  [9, 700],
];

describe('layerNorm', () => {
  it('takes off the mean of each row and divides by its deviation', () => {
    for (const shape of shapes) {
      const n = shape.at(-1)!;
      const x = randomTensor(shape);
      const [gamma, beta] = [randomTensor([n], { seed: 5 }), randomTensor([n], { seed: 6 })];
      const plain = normalized(x.data, (i) => Math.floor(i / n), 1e-5);
      expectClose(ops.layerNorm(x).data, plain, 1e-12);
      expectClose(
        ops.layerNorm(x, { gamma }).data,
        plain.map((value, i) => value * gamma.data[i % n]!),
        1e-12,
      );
      expectClose(
        ops.layerNorm(x, { beta }).data,
        plain.map((value, i) => value + beta.data[i % n]!),
        1e-12,
      );
      const both = plain.map((value, i) => value * gamma.data[i % n]! + beta.data[i % n]!);
      expectClose(ops.layerNorm(x, { gamma, beta }).data, both, 1e-12);
      expect(ops.layerNorm(x).shape).to.deep.equal(shape);
    }
  });

  it('works over the last few dimensions', () => {
    const x = randomTensor([2, 3, 4]);
    expectClose(
      ops.layerNorm(x, { axes: [-1, 1] }).data,
      normalized(x.data, (i) => Math.floor(i / 12), 1e-5),
      1e-12,
    );
    expectClose(
      ops.layerNorm(x, { axes: [0, 1, 2] }).data,
      normalized(x.data, () => 0, 1e-5),
      1e-12,
    );
    const gamma = randomTensor([3, 4], { seed: 3 });
    expectGradients((a, b) => ops.layerNorm(a, { axes: [1, 2], gamma: b }), [x, gamma], 1e-6);
  });

  it('has the gradients that differences show', () => {
    for (const [rows, n] of [
      [1, 1],
      [3, 5],
      [2, 17],
      [40, 3],
      [5, 33],
    ] as const) {
      const all = [randomTensor([rows, n]), randomTensor([n], { seed: 5 }), randomTensor([n], { seed: 6 })];
      expectGradients((x, gamma, beta) => ops.layerNorm(x, { gamma, beta, epsilon: 0.1 }), all, 1e-6);
      expectGradients((x) => ops.layerNorm(x, { epsilon: 0.1 }), all.slice(0, 1), 1e-6);
      expectGradients((x, beta) => ops.layerNorm(x, { beta, epsilon: 0.1 }), [all[0]!, all[2]!], 1e-6);
    }
  });

  it('does the same in float32, to its precision', () => {
    const all = [randomTensor([50, 33]), randomTensor([33], { seed: 5 }), randomTensor([33], { seed: 6 })];
    expectFloat32((x, gamma, beta) => ops.layerNorm(x, { gamma, beta }), all, 1e-5);
  });

  it('is right about small deviations beside a large mean', () => {
    const x = Float32Array.from({ length: 64 }, (_, i) => 1000 + (i % 3));
    const y = ops.layerNorm(tensor(x, [1, 64]), { epsilon: 0 });
    expectClose(
      y.data,
      normalized(Float64Array.from(x), () => 0, 0),
      1e-6,
    );
  });

  it('gives NaN for a row with a NaN or an infinity, and nothing to other rows', () => {
    const y = ops.layerNorm(tensor([[1, 2], [NaN, 1], [Infinity, 1], [3, 5]])); // prettier-ignore
    expect([...y.data.subarray(2, 6)]).to.deep.equal([NaN, NaN, NaN, NaN]);
    expect([...y.data.subarray(0, 2)].every(Number.isFinite)).to.equal(true);
    expect([...y.data.subarray(6)].every(Number.isFinite)).to.equal(true);
    expect([...ops.layerNorm(tensor([[2, 2, 2]])).data]).to.deep.equal([0, 0, 0]);
  });

  it('has the same bytes everywhere, and its gradients', () => {
    for (const [dtype] of dtypes) {
      for (const [rows, n] of [
        [3, 1],
        [70, 33],
        [300, 128],
        [700, 100],
        [5, 5000],
      ] as const) {
        const x = randomTensor([rows, n], { dtype });
        const [gamma, beta] = [5, 6].map((seed) => randomTensor([n], { seed, dtype }));
        const gradYs = randomTensor([rows, n], { seed: 7, dtype });
        expectSameEverywhere(`layerNorm of ${rows} x ${n}`, () => {
          const f = () => ops.layerNorm(x, { gamma: gamma!, beta: beta! });
          return [f().data, ...gradients(f, [x, gamma!, beta!], { gradYs }).map((g) => (g as typeof x).data)];
        });
      }
    }
  });

  it('refuses other axes, shapes and kinds', () => {
    const x = randomTensor([2, 3]);
    expect(() => ops.layerNorm(1)).to.throw(RangeError, 'x has shape []');
    expect(() => ops.layerNorm(x, { axes: 0 })).to.throw(RangeError, 'axes must be the last dimensions');
    expect(() => ops.layerNorm(x, { axes: [] })).to.throw(RangeError, 'axes must be the last dimensions');
    expect(() => ops.layerNorm(x, { gamma: randomTensor([2]) })).to.throw(
      RangeError,
      'gamma has shape [2], expected [3]',
    );
    expect(() => ops.layerNorm(x, { beta: new Float32Array(3) })).to.throw(
      TypeError,
      'x is float64 and beta is float32',
    );
    expect(() => ops.layerNorm(x, { epsilon: -1 })).to.throw(
      RangeError,
      'epsilon must be a number that is not negative',
    );
    expect(() => ops.layerNorm(x, { scale: 1 } as never)).to.throw(TypeError, "there is no 'scale'");
  });
});

describe('rmsNorm', () => {
  it('divides each row by the root of its mean square', () => {
    for (const shape of shapes) {
      const n = shape.at(-1)!;
      const x = randomTensor(shape);
      const gamma = randomTensor([n], { seed: 5 });
      const expected = Array.from(x.data, (value, i) => {
        const row = Array.from(x.data.subarray(Math.floor(i / n) * n, Math.floor(i / n) * n + n));
        return (value / Math.sqrt(row.reduce((sum, v) => sum + v * v, 0) / n + 1e-6)) * gamma.data[i % n]!;
      });
      expectClose(ops.rmsNorm(x, { gamma }).data, expected, 1e-12);
    }
  });

  it('has the gradients that differences show, in float32 to its precision', () => {
    const all = [randomTensor([4, 19]), randomTensor([19], { seed: 5 })];
    expectGradients((x, gamma) => ops.rmsNorm(x, { gamma, epsilon: 0.1 }), all, 1e-6);
    expectGradients((x) => ops.rmsNorm(x), all.slice(0, 1), 1e-6);
    expectFloat32((x, gamma) => ops.rmsNorm(x, { gamma }), all, 1e-5);
  });
});

describe('l2Normalize', () => {
  it('divides by the norm, along any dimensions', () => {
    const x = randomTensor([2, 3, 4]);
    for (const [axes, of] of [
      [2, (i: number) => Math.floor(i / 4)],
      [0, (i: number) => i % 12],
      [[0, 2], (i: number) => Math.floor(i / 4) % 3],
      [undefined, () => 0],
    ] as const) {
      const norms = new Map<number, number>();
      x.data.forEach((value, i) => norms.set(of(i), (norms.get(of(i)) ?? 0) + value * value));
      const expected = Array.from(x.data, (value, i) => value / Math.sqrt(norms.get(of(i))!));
      expectClose(ops.l2Normalize(x, axes).data, expected, 1e-14);
      expectGradients((t) => ops.l2Normalize(t, axes), [x], 1e-6);
    }
    expectFloat32((t) => ops.l2Normalize(t, -1), [x], 1e-6);
  });

  it('is linear where the sum of squares is below epsilon', () => {
    const x = tensor(Float64Array.of(0.1, -0.2, 0), [1, 3]);
    expectClose(ops.l2Normalize(x, 1, { epsilon: 4 }).data, [0.05, -0.1, 0], 1e-15);
    expectGradients((t) => ops.l2Normalize(t, 1, { epsilon: 4 }), [x]);
    expect([...ops.l2Normalize(tensor([0, 0])).data]).to.deep.equal([0, 0]);
  });
});

describe('moments', () => {
  it('are mean and variance over dimensions, with their gradients', () => {
    const x = randomTensor([2, 3, 4]);
    const found = ops.moments(x, [0, 2]);
    const expected = statistics(x.data, (i) => Math.floor(i / 4) % 3);
    expectClose(
      found.mean.data,
      expected.map(({ mean }) => mean),
      1e-14,
    );
    expectClose(
      found.variance.data,
      expected.map(({ variance }) => variance),
      1e-14,
    );
    expect(ops.moments(x, 1, { keepDims: true }).variance.shape).to.deep.equal([2, 1, 4]);
    expect(ops.moments(x).mean.shape).to.deep.equal([]);
    expectGradients((t) => ops.moments(t, [0, 2]).variance, [x]);
    expectGradients((t) => ops.moments(t, 1).mean, [x]);
  });
});

describe('groupNorm', () => {
  it('normalises each example by groups of channels', () => {
    for (const [shape, groups] of [
      [[2, 5, 6], 3],
      [[3, 2, 2, 4], 1],
      [[1, 7, 40], 4],
      [[2, 300, 6], 2],
      [[4, 8], 2],
    ] as const) {
      const c = shape.at(-1)!;
      const x = randomTensor(shape);
      const [gamma, beta] = [randomTensor([c], { seed: 5 }), randomTensor([c], { seed: 6 })];
      const each = x.size / shape[0];
      const of = (i: number): number => Math.floor(i / each) * groups + Math.floor(((i % c) * groups) / c);
      const plain = normalized(x.data, of, 1e-5);
      const expected = plain.map((value, i) => value * gamma.data[i % c]! + beta.data[i % c]!);
      expectClose(ops.groupNorm(x, groups, { gamma, beta }).data, expected, 1e-12);
      expectClose(ops.groupNorm(x, groups).data, plain, 1e-12);
    }
  });

  it('has the gradients that differences show, in float32 to its precision', () => {
    const all = [randomTensor([2, 5, 6]), randomTensor([6], { seed: 5 }), randomTensor([6], { seed: 6 })];
    expectGradients((x, gamma, beta) => ops.groupNorm(x, 2, { gamma, beta, epsilon: 0.1 }), all, 1e-6);
    expectGradients((x) => ops.groupNorm(x, 6, { epsilon: 0.1 }), all.slice(0, 1), 1e-6);
    expectGradients((x, gamma) => ops.instanceNorm(x, { gamma, epsilon: 0.1 }), all.slice(0, 2), 1e-6);
    expectFloat32((x, gamma, beta) => ops.groupNorm(x, 3, { gamma, beta }), all, 1e-5);
  });

  it('of one channel each is instanceNorm', () => {
    const x = randomTensor([2, 5, 6]);
    expect(ops.instanceNorm(x).data).to.deep.equal(ops.groupNorm(x, 6).data);
  });

  it('refuses groups that do not divide the channels', () => {
    expect(() => ops.groupNorm(randomTensor([2, 6]), 4)).to.throw(
      RangeError,
      "groups must divide x's 6 channels, got 4",
    );
    expect(() => ops.groupNorm(randomTensor([2, 6]), 0)).to.throw(RangeError, 'groups');
    expect(() => ops.groupNorm(randomTensor([6]), 2)).to.throw(RangeError, 'expected [batch, ..., channels]');
    expect(() => ops.groupNorm(randomTensor([2, 6]), '2' as never)).to.throw(TypeError, 'groups must be a number');
  });
});

describe('batchNorm', () => {
  const channels = [1, 3, 16, 17, 70];

  it('in training takes mean and variance of the batch, by channels', () => {
    for (const c of channels) {
      for (const rows of [1, 2, 65, 1000]) {
        const x = randomTensor([rows, 1, c]);
        const [gamma, beta] = [randomTensor([c], { seed: 5 }), randomTensor([c], { seed: 6 })];
        const plain = normalized(x.data, (i) => i % c, 1e-3);
        const expected = plain.map((value, i) => value * gamma.data[i % c]! + beta.data[i % c]!);
        expectClose(ops.batchNorm(x, { gamma, beta, training: true }).data, expected, 1e-11);
      }
    }
  });

  it('has the gradients that differences show, in both ways', () => {
    const all = [randomTensor([3, 4, 5]), randomTensor([5], { seed: 5 }), randomTensor([5], { seed: 6 })];
    expectGradients((x, gamma, beta) => ops.batchNorm(x, { gamma, beta, training: true }), all, 1e-6);
    expectGradients((x) => ops.batchNorm(x, { training: true }), all.slice(0, 1), 1e-6);
    const averages = { movingMean: randomTensor([5]), movingVariance: randomTensor([5], { low: 0.5 }) };
    expectGradients((x, gamma, beta) => ops.batchNorm(x, { gamma, beta, ...averages }), all);
    expectFloat32((x, gamma, beta) => ops.batchNorm(x, { gamma, beta, training: true }), all, 1e-5);
  });

  it('moves the averages towards mean and unbiased variance', () => {
    const x = randomTensor([10, 3]);
    const movingMean = variable(new Float64Array(3), { trainable: false });
    const movingVariance = variable(Float64Array.of(1, 1, 1), { trainable: false });
    ops.batchNorm(x, { movingMean, movingVariance, training: true, momentum: 0.9 });
    const expected = statistics(x.data, (i) => i % 3);
    expectClose(
      movingMean.data,
      expected.map(({ mean }) => 0.1 * mean),
      1e-14,
    );
    expectClose(
      movingVariance.data,
      expected.map(({ variance }) => 0.9 + (0.1 * variance * 10) / 9),
      1e-14,
    );
    const y = ops.batchNorm(x, { movingMean, movingVariance });
    const [mean, variance] = [movingMean.data, movingVariance.data];
    expectClose(
      y.data,
      Array.from(x.data, (value, i) => (value - mean[i % 3]!) / Math.sqrt(variance[i % 3]! + 1e-3)),
      1e-14,
    );
  });

  it('moves them in a compiled step as in an eager one, once for each part that is accumulated', () => {
    const make = () => {
      const gamma = variable([1, 2, 3]);
      const movingMean = variable([0, 0, 0], { trainable: false });
      const movingVariance = variable([1, 1, 1], { trainable: false });
      const optimizer = new GradientDescentOptimizer({ learningRate: 0.1 });
      const loss = (x: Parameters<typeof ops.batchNorm>[0]) =>
        ops.reduceMean(ops.square(ops.batchNorm(x, { gamma, movingMean, movingVariance, training: true })));
      return { gamma, movingMean, movingVariance, optimizer, loss };
    };
    const x = randomTensor([8, 3], { dtype: 'float32' });
    const [eager, other] = [make(), make()];
    const step = compileStep({
      inputs: { x: { shape: [8, 3] } },
      loss: (inputs) => other.loss(inputs.x),
      optimizer: other.optimizer,
    });
    for (let i = 0; i < 3; i++) {
      eager.optimizer.minimize(() => eager.loss(x));
      step.runSync({ x });
    }
    for (const name of ['gamma', 'movingMean', 'movingVariance'] as const) {
      expect([...other[name].data], name).to.deep.equal([...eager[name].data]);
    }
    const parts = make();
    const accumulating = compileStep({
      inputs: { x: { shape: [8, 3] } },
      loss: (inputs) => parts.loss(inputs.x),
      optimizer: parts.optimizer,
      accumulate: 2,
    });
    accumulating.runSync({ x });
    const twice = make();
    for (const part of [x.data.slice(0, 12), x.data.slice(12)]) twice.loss(tensor(part, [4, 3]));
    expect([...parts.movingMean.data]).to.deep.equal([...twice.movingMean.data]);
    expect([...parts.movingVariance.data]).to.deep.equal([...twice.movingVariance.data]);
  });

  it('has the same bytes everywhere, and its gradients', () => {
    for (const [dtype] of dtypes) {
      for (const [rows, c] of [
        [1, 3],
        [999, 3],
        [40_000, 3],
        [700, 100],
        [3, 5000],
      ] as const) {
        const x = randomTensor([rows, c], { dtype });
        const gamma = randomTensor([c], { seed: 5, dtype });
        const gradYs = randomTensor([rows, c], { seed: 7, dtype });
        expectSameEverywhere(`batchNorm of ${rows} x ${c}`, () => {
          const f = () => ops.batchNorm(x, { gamma, training: true });
          return [f().data, ...gradients(f, [x, gamma], { gradYs }).map((g) => (g as typeof x).data)];
        });
      }
    }
  });

  it('refuses averages that are missing or cannot be moved', () => {
    const x = randomTensor([4, 3]);
    const movingMean = variable(new Float64Array(3));
    expect(() => ops.batchNorm(x)).to.throw(TypeError, 'batchNorm needs movingMean and movingVariance');
    expect(() => ops.batchNorm(x, { training: true, movingMean: randomTensor([3]) })).to.throw(
      TypeError,
      'movingMean must be a Variable in training',
    );
    expect(() => ops.batchNorm(x, { training: true, movingMean: variable(new Float64Array(2)) })).to.throw(
      RangeError,
      'movingMean has shape [2], expected [3]',
    );
    expect(() => ops.batchNorm(x, { training: true, movingMean: variable([1, 2, 3]) })).to.throw(TypeError, 'float32');
    expect(() => ops.batchNorm(x, { training: true, momentum: 2, movingMean })).to.throw(RangeError, 'momentum');
    expect([...movingMean.data]).to.deep.equal([0, 0, 0]);
  });
});
