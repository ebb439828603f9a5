import { expect } from 'chai';
import * as fc from 'fast-check';
import {
  compileStep,
  GradientDescentOptimizer,
  gradients,
  losses,
  ops,
  tensor,
  variable,
  type Tensor,
  type TensorLike,
} from 'gradstep';
import type { LossOptions } from '../../lib/losses';
import { denseOf, expectClose, expectFloat32, expectGradients, randomTensor } from '../support/numeric-gradient';

const { Reduction } = losses;
type Pair = (labels: TensorLike, predictions: TensorLike, options?: LossOptions) => Tensor;

const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
const huber = (e: number, d: number): number => (e <= d ? (e * e) / 2 : (d * d) / 2 + d * (e - d));

/** Losses of each element, by their formulas; labels and predictions are probabilities. */
const each: Record<string, { loss: Pair; of: (z: number, y: number) => number }> = {
  absoluteDifference: { loss: losses.absoluteDifference, of: (z, y) => Math.abs(y - z) },
  meanSquaredError: { loss: losses.meanSquaredError, of: (z, y) => (y - z) ** 2 },
  hingeLoss: { loss: losses.hingeLoss, of: (z, y) => Math.max(0, 1 - (2 * z - 1) * y) },
  huberLoss: { loss: losses.huberLoss, of: (z, y) => huber(Math.abs(y - z), 1) },
  'huberLoss of another delta': {
    loss: (z, y, options) => losses.huberLoss(z, y, { delta: 0.2, ...options }),
    of: (z, y) => huber(Math.abs(y - z), 0.2),
  },
  logLoss: {
    loss: losses.logLoss,
    of: (z, y) => -z * Math.log(y + 1e-7) - (1 - z) * Math.log(1 - y + 1e-7),
  },
  sigmoidCrossEntropy: { loss: losses.sigmoidCrossEntropy, of: (z, y) => softplus(y) - z * y },
  'sigmoidCrossEntropy, smoothed': {
    loss: (z, y, options) => losses.sigmoidCrossEntropy(z, y, { labelSmoothing: 0.3, ...options }),
    of: (z, y) => softplus(y) - (z * 0.7 + 0.15) * y,
  },
};

/** The reductions by their definitions, with weights of the losses' own shape. */
function reduced(values: number[], weights: number[], reduction: string): number {
  const sum = values.reduce((total, value, i) => total + value * weights[i]!, 0);
  const by = {
    [Reduction.SUM]: 1,
    [Reduction.MEAN]: weights.reduce((total, weight) => total + weight, 0),
    [Reduction.SUM_OVER_BATCH_SIZE]: values.length,
    [Reduction.SUM_BY_NONZERO_WEIGHTS]: weights.filter((weight) => weight !== 0).length,
  }[reduction]!;
  return by === 0 ? 0 : sum / by;
}
const reductions = [Reduction.SUM, Reduction.MEAN, Reduction.SUM_OVER_BATCH_SIZE, Reduction.SUM_BY_NONZERO_WEIGHTS];

for (const [name, { loss, of }] of Object.entries(each)) {
  describe(name, () => {
    const [z, y] = [
      randomTensor([3, 17], { low: 0, high: 1 }),
      randomTensor([3, 17], { low: 0.01, high: 0.99, seed: 2 }),
    ];

    it('is its formula, element by element', () => {
      const values = loss(z, y, { reduction: Reduction.NONE });
      expect(values.shape).to.deep.equal([3, 17]);
      expectClose(values.data, z.data.map((label, i) => of(label, y.data[i]!)), 1e-14); // prettier-ignore
    });

    it('is weighted and reduced, in every way', () => {
      const values = Array.from(z.data, (label, i) => of(label, y.data[i]!));
      const rows = tensor([2, 0, -0.5], [3, 1], 'float64');
      for (const reduction of reductions) {
        const ones = values.map(() => 1);
        expectClose(loss(z, y, { reduction }).data, [reduced(values, ones, reduction)], 1e-13);
        const halves = values.map(() => 0.5);
        expectClose(loss(z, y, { reduction, weights: 0.5 }).data, [reduced(values, halves, reduction)], 1e-13);
        const byRow = values.map((_, i) => rows.data[Math.floor(i / 17)]!);
        expectClose(loss(z, y, { reduction, weights: rows }).data, [reduced(values, byRow, reduction)], 1e-13);
        const none = loss(z, y, { reduction, weights: 0 });
        expect([none.shape, none.item()]).to.deep.equal([[], 0]);
      }
    });

    it('has the gradients that differences show, of weights too', () => {
      for (const reduction of [...reductions, Reduction.NONE]) {
        const weights = randomTensor([3, 1], { low: 0.5, seed: 5 });
        expectGradients((labels, x, w) => loss(labels, x, { weights: w, reduction }), [z, y, weights], 1e-6);
        expectGradients((labels, x) => loss(labels, x, { weights: 0.25, reduction }), [z, y], 1e-6);
      }
      expectFloat32((labels, x) => loss(labels, x), [z, y], 1e-5);
    });

    it('refuses what does not fit', () => {
      expect(() => loss(z, randomTensor([17]))).to.throw(RangeError, 'they must be equal');
      expect(() => loss(z, y, { weights: Float64Array.of(1, 2) })).to.throw(RangeError, 'weights has shape [2]');
      expect(() => loss(z, y, { weights: tensor([1, 2], [2, 1], 'float64') })).to.throw(
        RangeError,
        'weights has shape [2, 1]',
      );
      expect(() => loss(z, y, { reduction: 'mean' as never })).to.throw(RangeError, 'reduction must be one of');
      expect(() => loss(z, y, { weight: 1 } as never)).to.throw(TypeError, "did you mean 'weights'?");
      expect(() => loss(Float32Array.of(1), Float64Array.of(1))).to.throw(TypeError, 'they must be the same');
    });
  });
}

describe('losses of rows', () => {
  const logits = randomTensor([4, 5]);
  const oneHot = tensor([[0, 1, 0, 0, 0], [1, 0, 0, 0, 0], [0, 0, 0, 0, 1], [0, 0, 1, 0, 0]], [4, 5], 'float64'); // prettier-ignore
  const logSoftmax = ops.logSoftmax(logits).data;

  it('softmaxCrossEntropy smooths labels, and holds them constant', () => {
    const values = [1, 0, 4, 2].map((label, row) => {
      const smooth = Array.from({ length: 5 }, (_, k) => (k === label ? 0.9 : 0) + 0.1 / 5);
      return -smooth.reduce((sum, p, k) => sum + p * logSoftmax[row * 5 + k]!, 0);
    });
    const loss = losses.softmaxCrossEntropy(oneHot, logits, { labelSmoothing: 0.1, reduction: Reduction.NONE });
    expectClose(loss.data, values, 1e-14);
    const [dz] = gradients(() => losses.softmaxCrossEntropy(oneHot, logits), [oneHot]);
    expect(dz).to.equal(null);
    expectGradients((x) => losses.softmaxCrossEntropy(oneHot, x, { weights: Float64Array.of(1, 0, 2, 3) }), [logits]);
    const bad = { labelSmoothing: 1.5 };
    expect(() => losses.softmaxCrossEntropy(oneHot, logits, bad)).to.throw(
      RangeError,
      'labelSmoothing must be a number in [0, 1]',
    );
  });

  it('sparseSoftmaxCrossEntropy is the same of classes', () => {
    const weights = Float64Array.of(1, 0, 2, 3);
    const sparse = losses.sparseSoftmaxCrossEntropy([1, 0, 4, 2], logits, { weights });
    expectClose(sparse.data, losses.softmaxCrossEntropy(oneHot, logits, { weights }).data, 1e-14);
    for (const labelSmoothing of [0, 0.1, 1]) {
      const [of, by] = [
        losses.sparseSoftmaxCrossEntropy([1, 0, 4, 2], logits, { weights, labelSmoothing }),
        losses.softmaxCrossEntropy(oneHot, logits, { weights, labelSmoothing }),
      ];
      expectClose(of.data, by.data, 1e-14);
    }
    expectGradients((x) => losses.sparseSoftmaxCrossEntropy([1, 0, 4, 2], x, { labelSmoothing: 0.2 }), [logits]);
  });

  it('cosineDistance and klDivergence add up along a dimension', () => {
    const [p, q] = [ops.softmax(randomTensor([3, 4], { seed: 6 })), ops.softmax(randomTensor([3, 4], { seed: 7 }))];
    const dot = [0, 1, 2].map((row) =>
      [0, 1, 2, 3].reduce((sum, k) => sum + p.data[row * 4 + k]! * q.data[row * 4 + k]!, 0),
    );
    const distance = losses.cosineDistance(p, q, 1, { reduction: Reduction.NONE });
    expect(distance.shape).to.deep.equal([3, 1]);
    expectClose(distance.data, dot.map((value) => 1 - value), 1e-15); // prettier-ignore
    const divergence = [0, 1, 2].map((row) =>
      [0, 1, 2, 3].reduce(
        (sum, k) => sum + p.data[row * 4 + k]! * Math.log(p.data[row * 4 + k]! / q.data[row * 4 + k]!),
        0,
      ),
    );
    expectClose(losses.klDivergence(p, q, { reduction: Reduction.NONE }).data, divergence, 1e-14);
    expectGradients((a, b) => losses.klDivergence(a, b, { axis: 0 }), [p, q]);
    expectGradients((a, b) => losses.cosineDistance(a, b, -1), [p, q]);
    expect(losses.klDivergence(Float32Array.of(0, 1), Float32Array.of(0, 1)).item()).to.equal(0);
    expect(() => losses.cosineDistance(p, q, 2)).to.throw(RangeError);
    expect(() => losses.cosineDistance(p, q, {} as never)).to.throw(TypeError, 'axis must be a number');
  });
});

describe('computeWeightedLoss', () => {
  it('is the definition of its reductions for any weights', () => {
    const number = fc.integer({ min: -3, max: 3 });
    const matrix = (rows: number, columns: number): fc.Arbitrary<number[]> =>
      fc.array(number, { minLength: rows * columns, maxLength: rows * columns });
    fc.assert(
      fc.property(
        matrix(4, 3),
        fc.constantFrom([4, 3], [1, 3], [4, 1], [1, 1]),
        matrix(4, 3),
        (values, shape, weights) => {
          const [rows, columns] = shape as [number, number];
          const own = tensor(weights.slice(0, rows * columns), shape, 'float64');
          const wide = values.map(
            (_, i) => own.data[(rows === 1 ? 0 : Math.floor(i / 3) * columns) + (columns === 1 ? 0 : i % 3)]!,
          );
          for (const reduction of reductions) {
            const loss = losses.computeWeightedLoss(tensor(values, [4, 3], 'float64'), { weights: own, reduction });
            expect(loss.item()).to.be.closeTo(reduced(values, wide, reduction), 1e-12);
          }
        },
      ),
    );
  });

  it('is 0 with gradients of 0 where nothing counts, and of nothing', () => {
    const x = tensor([1, 2]);
    for (const reduction of reductions) {
      const weights = Float32Array.of(0, 0);
      const [dx] = gradients(() => losses.computeWeightedLoss(x, { weights, reduction }), [x]);
      expect([...denseOf(dx)].map(Math.abs)).to.deep.equal([0, 0]);
      expect(losses.computeWeightedLoss(new Float32Array(0), { reduction }).item()).to.equal(0);
    }
  });

  it('gives the same in what is compiled, byte for byte', () => {
    const inputs = { z: { shape: [4, 3] }, x: { shape: [4, 3] }, w: { shape: [4, 1] } } as const;
    const [z, x, w] = [
      randomTensor([4, 3], { dtype: 'float32' }),
      randomTensor([4, 3], { dtype: 'float32', seed: 2 }),
      tensor([1, 0, 2, 0.5], [4, 1]),
    ];
    const run = (isCompiled: boolean): Float32Array => {
      const scale = variable([0.5, 1, 2]);
      const optimizer = new GradientDescentOptimizer({ learningRate: 0.1 });
      const loss = (given: { z: Tensor; x: Tensor; w: Tensor }): Tensor =>
        losses.huberLoss(given.z, ops.mul(given.x, scale), { weights: given.w });
      if (isCompiled) {
        const step = compileStep({ inputs, loss, optimizer });
        for (let i = 0; i < 3; i++) step.runSync({ z, x, w });
      } else {
        for (let i = 0; i < 3; i++) optimizer.minimize(() => loss({ z, x, w }));
      }
      return scale.data as Float32Array;
    };
    expect(run(true)).to.deep.equal(run(false));
  });
});
