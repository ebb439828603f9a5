import { expect } from 'chai';
import { customGradient, gradients, GradientDescentOptimizer, ops, tensor, variable, type Tensor } from 'gradstep';
import { denseOf, expectClose, expectGradients, randomTensor } from '../support/numeric-gradient';

type Op = (...inputs: Tensor[]) => Tensor;

/** The gradient by the first input, weighted so that every element of the output counts differently. */
const gradientOf =
  (op: Op): Op =>
  (...inputs) => {
    const [first] = gradients(() => weighted(op(...inputs)), inputs.slice(0, 1));
    return first as Tensor;
  };

/** y times numbers that differ, so that sums hide nothing. */
function weighted(y: Tensor): Tensor {
  const weights = Float64Array.from({ length: y.size }, (_, i) => 1 + ((i * 7) % 5) / 3);
  return ops.reduceSum(ops.mul(ops.square(y), tensor(weights, y.shape)));
}

const x = randomTensor([3, 4]);
const positive = tensor(
  Float64Array.from(x.data, (value) => Math.abs(value) + 0.5),
  [3, 4],
);
const row = randomTensor([4], { seed: 3 });
const matrix = randomTensor([4, 5], { seed: 4 });
const batch = randomTensor([2, 4, 3], { seed: 5 });

const cases: Record<string, { op: Op; inputs: Tensor[] }> = {
  abs: { op: (a) => ops.abs(a), inputs: [x] },
  add: { op: (a, b) => ops.add(a, b), inputs: [row, x] },
  div: { op: (a, b) => ops.div(b, a), inputs: [positive, row] },
  exp: { op: (a) => ops.exp(a), inputs: [x] },
  gather: { op: (a) => ops.gather(ops.exp(a), [2, 0, 2]), inputs: [x] },
  identity: { op: (a) => ops.identity(a), inputs: [x] },
  l2Loss: { op: (a) => ops.l2Loss(a), inputs: [x] },
  log: { op: (a) => ops.log(a), inputs: [positive] },
  matMul: { op: (a, b) => ops.matMul(a, b), inputs: [x, matrix] },
  'matMul of the second': { op: (b, a) => ops.matMul(a, b, { transposeA: true }), inputs: [matrix, batch] },
  'matMul of batches': { op: (a, b) => ops.matMul(a, b, { transposeA: true }), inputs: [batch, matrix] },
  maximum: { op: (a, b) => ops.maximum(a, b), inputs: [x, row] },
  minimum: { op: (a, b) => ops.minimum(a, b), inputs: [row, x] },
  mul: { op: (a, b) => ops.mul(a, b), inputs: [row, x] },
  neg: { op: (a) => ops.neg(a), inputs: [x] },
  reduceMean: { op: (a) => ops.reduceMean(ops.exp(a), 0), inputs: [x] },
  reduceSum: { op: (a) => ops.reduceSum(ops.exp(a), [1]), inputs: [x] },
  relu: { op: (a) => ops.relu(a), inputs: [x] },
  reshape: { op: (a) => ops.exp(ops.reshape(a, [2, 6])), inputs: [x] },
  sigmoid: { op: (a) => ops.sigmoid(a), inputs: [x] },
  sigmoidCrossEntropyWithLogits: {
    op: (a, b) => ops.sigmoidCrossEntropyWithLogits(ops.sigmoid(b), a),
    inputs: [x, positive],
  },
  sqrt: { op: (a) => ops.sqrt(a), inputs: [positive] },
  square: { op: (a) => ops.square(a), inputs: [x] },
  sub: { op: (a, b) => ops.sub(b, a), inputs: [row, x] },
  tanh: { op: (a) => ops.tanh(a), inputs: [x] },
  transpose: { op: (a) => ops.exp(ops.transpose(a)), inputs: [x] },
  'a sum of terms': { op: (a) => ops.add(ops.mul(a, a), ops.mul(ops.exp(a), a)), inputs: [x] },
  'a layer': {
    op: (a, b) => ops.tanh(ops.matMul(ops.tanh(ops.matMul(b, a)), a, { transposeB: true })),
    inputs: [matrix, x],
  },
};

describe('gradients of gradients', () => {
  for (const [name, { op, inputs }] of Object.entries(cases)) {
    it(`are what differences of gradients show: ${name}`, () => {
      expectGradients(gradientOf(op), inputs);
    });
  }

  it('have gradients of their own, to any order', () => {
    const fourth = gradientOf(gradientOf(gradientOf((a) => ops.tanh(a))));
    expectGradients(fourth, [tensor(new Float64Array([0.3, -0.7]))]);
    let f: Op = (a) => ops.mul(ops.square(a), ops.square(a));
    for (const [order, value] of [16, 32, 48, 48, 24].entries()) {
      expect(f(tensor([2])).item(), `order ${order}`).to.equal(value);
      const inner = f;
      f = (a) => gradients(() => inner(a), [a])[0] as Tensor;
    }
  });

  it('make a gradient penalty, as a Wasserstein critic has', () => {
    const w = variable(randomTensor([4, 3], { seed: 7 }).data.slice(), { shape: [4, 3], name: 'w' });
    const points = randomTensor([5, 4], { seed: 8 });
    const critic = (p: Tensor): Tensor => ops.reduceSum(ops.tanh(ops.matMul(p, w)));
    const penalty = (): Tensor => {
      const [dp] = gradients(() => critic(points), [points]);
      const norm = ops.sqrt(ops.reduceSum(ops.square(dp as Tensor), 1));
      return ops.reduceMean(ops.square(ops.sub(norm, 1)));
    };
    const [dw] = gradients(penalty, [w]);
    const analytic = denseOf(dw).slice();
    const step = 1e-6;
    for (let i = 0; i < w.size; i++) {
      const at = (delta: number): number => {
        const values = w.data.slice();
        w.data[i]! += delta;
        const value = penalty().item();
        w.data.set(values);
        return value;
      };
      expectClose([analytic[i]!], [(at(step) - at(-step)) / (2 * step)], 1e-6);
    }
    const optimizer = new GradientDescentOptimizer({ learningRate: 0.1 });
    const before = penalty().item();
    for (let i = 0; i < 20; i++) optimizer.minimize(penalty);
    expect(penalty().item()).to.be.below(before);
  });

  it('learn how to learn: a step inside of a loss', () => {
    const w = variable(new Float64Array([1, -2]), { name: 'w' });
    const task = (parameters: Tensor): Tensor => ops.reduceSum(ops.square(ops.sub(parameters, 3)));
    const afterStep = (): Tensor => {
      const start = ops.identity(w);
      const [gradient] = gradients(() => task(start), [start]);
      return task(ops.sub(start, ops.mul(gradient as Tensor, 0.1)));
    };
    // after a step w - 3 is 0.8 of what it was, so the loss is 0.64 of the task's
    expectClose(denseOf(gradients(afterStep, [w])[0]), [0.64 * 2 * -2, 0.64 * 2 * -5], 1e-14);
  });

  it('are refused through ops whose way back is a kernel of its own, with the place', () => {
    const logits = randomTensor([2, 3]);
    const kernels: Record<string, (a: Tensor) => Tensor> = {
      softmax: (a) => ops.softmax(a),
      logSoftmax: (a) => ops.logSoftmax(a),
      sparse: (a) => ops.sparseSoftmaxCrossEntropyWithLogits([0, 2], a),
      dense: (a) => ops.softmaxCrossEntropyWithLogits(tensor(new Float64Array(6).fill(1 / 3), [2, 3]), a),
    };
    for (const [name, op] of Object.entries(kernels)) {
      const second = (): unknown => gradients(() => gradientOf((a) => op(a))(logits), [logits]);
      expect(second, name).to.throw(Error, /gradients of gradients are not supported through .*gradients-of-gradients/);
      const linear = (): unknown => gradients(() => gradients(() => op(logits), [logits])[0] as Tensor, [logits]);
      expect(linear, name).to.throw(Error, 'gradients of gradients are not supported through');
      expect(gradients(() => weighted(op(logits)), [logits])[0], 'and all goes on').not.to.equal(null);
    }
  });

  it('are refused through a custom gradient that computes with its inputs', () => {
    const op = customGradient((a: Tensor) => ({ value: ops.exp(a), gradient: (dy) => [ops.mul(dy, ops.exp(a))] }));
    const a = tensor([1, 2]);
    expect(() => gradients(() => gradients(() => op(a), [a])[0] as Tensor, [a])).to.throw(
      Error,
      'gradients of gradients are not supported through',
    );
  });

  it('of what does not depend on the outer inputs are constants, through any op', () => {
    const [a, b] = [randomTensor([2, 3]), randomTensor([2, 3], { seed: 9 })];
    const [db] = gradients(() => {
      const [da] = gradients(() => weighted(ops.softmax(a)), [a]);
      return ops.reduceSum(ops.mul(da as Tensor, b));
    }, [b]);
    const [da] = gradients(() => weighted(ops.softmax(a)), [a]);
    expect([...denseOf(db)]).to.deep.equal([...denseOf(da)]);
  });

  it('leave computeGradients alone, which is for the outermost', () => {
    const w = variable([1, 2], { name: 'w' });
    const optimizer = new GradientDescentOptimizer({ learningRate: 0.1 });
    const inner = (): Tensor => optimizer.computeGradients(() => ops.l2Loss(w)).loss;
    expect(() => optimizer.computeGradients(inner)).to.throw(Error, 'gradients are being computed already');
    expect(optimizer.computeGradients(() => ops.l2Loss(w)).loss.item()).to.equal(2.5);
  });
});
