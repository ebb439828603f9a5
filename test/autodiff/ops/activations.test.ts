import { expect } from 'chai';
import { compile, gradients, ops, tensor, type Tensor, type TensorLike } from 'gradstep';
import {
  awkwardSizes,
  denseOf,
  expectClose,
  expectFloat32,
  expectGradients,
  randomTensor,
} from '../../support/numeric-gradient';
import { normalBelow, normalDensity } from '../../support/special-functions';
import { describeUnary, type UnaryCase } from '../../support/unary-cases';

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
const [scale, alpha] = [1.0507009873554805, 1.6732632423543772];
const hardSigmoid = (x: number): number => Math.min(Math.max(x + 3, 0), 6) / 6;
const logit = (x: number): number => 2 * Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3);
const mish = (x: number): number => x * Math.tanh(softplus(x));
const approximate = (x: TensorLike): Tensor => ops.gelu(x, { approximate: true });

const cases: Record<string, UnaryCase> = {
  gelu: { of: (x) => x * normalBelow(x), at: [[0, 0.5], [Infinity, 1], [-Infinity, 0], [-1e30, 0], [1, normalBelow(1) + normalDensity(1)]] }, // prettier-ignore
  'gelu by tanh': { op: approximate, of: (x) => x * sigmoid(logit(x)), at: [[0, 0.5], [Infinity, 1], [-Infinity, 0], [1e200, 1]] }, // prettier-ignore
  silu: { of: (x) => x * sigmoid(x), at: [[0, 0.5], [Infinity, 1], [-Infinity, 0], [NaN, NaN]] }, // prettier-ignore
  elu: { of: (x) => (x < 0 ? Math.expm1(x) : x), at: [[0, 1], [-0, 1], [Infinity, 1], [-Infinity, 0]], low: -3, high: -0.1 }, // prettier-ignore
  selu: { of: (x) => scale * (x < 0 ? alpha * Math.expm1(x) : x), at: [[0, scale], [-Infinity, 0], [Infinity, scale]], low: -3, high: -0.1 }, // prettier-ignore
  softplus: { of: softplus, at: [[0, 0.5], [Infinity, 1], [-Infinity, 0], [NaN, NaN]] }, // prettier-ignore
  logSigmoid: { of: (x) => -softplus(-x), at: [[0, 0.5], [Infinity, 0], [-Infinity, 1], [NaN, NaN]] }, // prettier-ignore
  softsign: { of: (x) => x / (1 + Math.abs(x)), at: [[0, 1], [Infinity, 0], [-1, 0.25]], low: 0.1 }, // prettier-ignore
  relu6: { of: (x) => (x <= 0 ? 0 : x >= 6 ? 6 : x), at: [[0, 0], [6, 0], [3, 1], [Infinity, 0], [NaN, 0]], low: 0.1, high: 5.5 }, // prettier-ignore
  hardSigmoid: { of: hardSigmoid, at: [[-3, 0], [3, 0], [0, 1 / 6], [Infinity, 0], [-Infinity, 0]] }, // prettier-ignore
  hardSwish: { of: (x) => x * hardSigmoid(x), at: [[-3, 0], [3, 1], [0, 0.5], [Infinity, 1], [-Infinity, 0]] }, // prettier-ignore
  mish: { of: mish, at: [[0, 0.6], [Infinity, 1], [-Infinity, 0], [NaN, NaN]] }, // prettier-ignore
};
for (const [name, test] of Object.entries(cases)) describeUnary(name, test);

describe('swish', () => {
  it('is silu', () => expect(ops.swish).to.equal(ops.silu));
});

describe('gelu', () => {
  it('keeps its precision where little is left of x', () => {
    const x = Float64Array.of(-1, -3, -6, -10, -20, -37);
    const y = ops.gelu(x).data;
    x.forEach((value, i) => expect(y[i]! / (value * normalBelow(value))).to.be.closeTo(1, 3e-13));
    expectFloat32((one) => ops.gelu(one), [tensor(x)], 1e-7);
  });

  it('has nothing but its own options', () => {
    expect(() => ops.gelu(1, { approximate: 1 as never })).to.throw(TypeError, 'approximate must be a boolean, got 1');
    expect(() => ops.gelu(1, { aproximate: true } as never)).to.throw(TypeError, "did you mean 'approximate'?");
  });
});

describe('leakyRelu', () => {
  it('has a slope of 0.2 up to 0, or another', () => {
    const x = tensor([-2, -1, 0, 3, NaN, -Infinity]);
    expectClose(ops.leakyRelu(x).data, [-0.4, -0.2, 0, 3, NaN, -Infinity], 1e-7);
    expectClose(ops.leakyRelu(x, { alpha: 0 }).data, [0, 0, 0, 3, NaN, NaN], 0);
    const [dx] = gradients(() => ops.leakyRelu(x, { alpha: 0.5 }), [x]);
    expectClose(denseOf(dx), [0.5, 0.5, 0.5, 1, 0.5, 0.5], 0);
    for (const n of awkwardSizes) expectGradients((one) => ops.leakyRelu(one), [randomTensor([n])]);
    expect(() => ops.leakyRelu(x, { alpha: '1' as never })).to.throw(TypeError, 'alpha must be a number, got "1"');
  });
});

describe('prelu', () => {
  it('learns slopes that are repeated, along any dimensions', () => {
    for (const [shape, slopes] of [
      [[17], [17]],
      [[5, 33], [33]],
      [
        [2, 3, 4],
        [3, 1],
      ],
      [[7], []],
      [[2, 3, 3, 5], [5]],
    ] as const) {
      // prettier-ignore
      const inputs = [randomTensor(shape), randomTensor(slopes, { seed: 8, low: 0.1, high: 0.4 })];
      expectGradients(ops.prelu, inputs);
      expectFloat32(ops.prelu, inputs, 2e-6);
    }
    expectClose(ops.prelu(Float32Array.of(-4, 0, 4), 0.25).data, [-1, 0, 4], 0);
  });

  it('learns nothing from what is above 0, however large the gradient', () => {
    const [x, slope] = [tensor([1, -1]), tensor([0.5])];
    const [, da] = gradients(() => ops.prelu(x, slope), [x, slope], { gradYs: Float32Array.of(Infinity, 2) });
    expect([...denseOf(da)]).to.deep.equal([-2]);
  });
});

describe('activations in what is compiled', () => {
  it('have the bytes of eager ones', () => {
    const all = [...Object.keys(cases).filter((name) => name in ops), 'leakyRelu'] as ('gelu' | 'leakyRelu')[];
    for (const dtype of ['float32', 'float64'] as const) {
      const f = ({ x }: { x: Tensor }): Tensor[] =>
        all.flatMap((name) => {
          const [dx] = gradients(() => ops[name](x), [x]);
          return [ops[name](x), dx as Tensor];
        });
      const x = randomTensor([1001], { low: -8, high: 8, dtype });
      const compiled = compile(f, { inputs: { x: { shape: [1001], dtype } } });
      const eager = f({ x });
      compiled.runSync({ x }).forEach((y, i) => expect(y.data).to.deep.equal(eager[i]!.data));
    }
  });
});
