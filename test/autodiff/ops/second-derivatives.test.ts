import { gradients, ops, tensor, type Tensor } from 'gradstep';
import { expectGradients, randomTensor } from '../../support/numeric-gradient';

type Op = (...inputs: Tensor[]) => Tensor;

/** The gradient by the first input of a loss that is not linear in y. */
const gradientOf =
  (op: Op): Op =>
  (...inputs) =>
    gradients(() => ops.reduceSum(ops.square(op(...inputs))), inputs.slice(0, 1))[0] as Tensor;

const x = randomTensor([3, 4]);
const row = randomTensor([4], { seed: 3, low: 0.5, high: 2 });
const positive = tensor(x.data.map((value) => Math.abs(value) + 0.5), [3, 4]); // prettier-ignore
const inside = tensor(x.data.map((value) => value / 3), [3, 4]); // prettier-ignore
const large = tensor(x.data.map((value) => 4 * value), [3, 4]); // prettier-ignore

const cases: Record<string, { op: Op; inputs: Tensor[] }> = {
  sin: { op: (a) => ops.sin(a), inputs: [x] },
  cos: { op: (a) => ops.cos(a), inputs: [x] },
  tan: { op: (a) => ops.tan(a), inputs: [inside] },
  asin: { op: (a) => ops.asin(a), inputs: [inside] },
  acos: { op: (a) => ops.acos(a), inputs: [inside] },
  atan: { op: (a) => ops.atan(a), inputs: [x] },
  atan2: { op: (a, b) => ops.atan2(a, b), inputs: [x, row] },
  'atan2 of the second': { op: (a, b) => ops.atan2(b, a), inputs: [row, x] },
  sinh: { op: (a) => ops.sinh(a), inputs: [x] },
  cosh: { op: (a) => ops.cosh(a), inputs: [x] },
  expm1: { op: (a) => ops.expm1(a), inputs: [x] },
  log1p: { op: (a) => ops.log1p(a), inputs: [positive] },
  erf: { op: (a) => ops.erf(a), inputs: [x] },
  erfc: { op: (a) => ops.erfc(a), inputs: [x] },
  reciprocal: { op: (a) => ops.reciprocal(a), inputs: [positive] },
  rsqrt: { op: (a) => ops.rsqrt(a), inputs: [positive] },
  pow: { op: (a, b) => ops.pow(a, b), inputs: [positive, row] },
  'pow of the second': { op: (a, b) => ops.pow(b, a), inputs: [row, positive] },
  squaredDifference: { op: (a, b) => ops.squaredDifference(a, b), inputs: [row, x] },
  divNoNan: { op: (a, b) => ops.divNoNan(b, a), inputs: [positive, row] },
  mod: { op: (a, b) => ops.mod(a, b), inputs: [row, tensor([7, 8, 9, 6], [4], 'float64')] },
  clip: { op: (a) => ops.clip(ops.square(a), 0.1, 2), inputs: [x] },
  elu: { op: (a) => ops.elu(a), inputs: [x] },
  selu: { op: (a) => ops.selu(a), inputs: [x] },
  gelu: { op: (a) => ops.gelu(a), inputs: [x] },
  'gelu by tanh': { op: (a) => ops.gelu(a, { approximate: true }), inputs: [x] },
  silu: { op: (a) => ops.silu(a), inputs: [x] },
  mish: { op: (a) => ops.mish(a), inputs: [x] },
  softplus: { op: (a) => ops.softplus(a), inputs: [x] },
  logSigmoid: { op: (a) => ops.logSigmoid(a), inputs: [x] },
  softsign: { op: (a) => ops.softsign(a), inputs: [x] },
  relu6: { op: (a) => ops.relu6(a), inputs: [large] },
  hardSigmoid: { op: (a) => ops.hardSigmoid(a), inputs: [large] },
  hardSwish: { op: (a) => ops.hardSwish(a), inputs: [large] },
  leakyRelu: { op: (a) => ops.leakyRelu(a), inputs: [x] },
  prelu: { op: (a, b) => ops.prelu(a, b), inputs: [x, row] },
  'prelu of its slopes': { op: (a, b) => ops.prelu(b, a), inputs: [row, x] },
};

describe('gradients of gradients of element-wise ops', () => {
  for (const [name, { op, inputs }] of Object.entries(cases)) {
    it(`are what differences of gradients show: ${name}`, () => {
      expectGradients(gradientOf(op), inputs, 2e-6);
    });
  }
});
