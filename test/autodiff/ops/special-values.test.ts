import { expect } from 'chai';
import { gradients, ops, tensor, type Tensor, type TensorLike } from 'gradstep';
import { denseOf } from '../../support/numeric-gradient';

// The gradients of TensorFlow 1's ops as it writes them (math_grad.py, nn_grad.py, cwise_ops_gradients.h), in float64, over
// all special values of the inputs and of the gradient that comes in. Where we differ, on purpose, it says so.

const points = [0, -0, 1, -2, 0.5, 1e-310, -1e-310, 1e200, -1e200, 1e-200, 1.7e308, -1.7e308, Infinity, -Infinity, NaN];
const incoming = [1, -3, 0, 1e300, -1e300, 1e-300, Infinity, -Infinity, NaN];

const same = (a: number, b: number): boolean =>
  a === b || (a !== a && b !== b) || Math.abs(a - b) <= 4e-15 * Math.abs(b) || Math.abs(a - b) < 1e-320;

const sign = (x: number): number => (x > 0 ? 1 : x < 0 ? -1 : x);
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
/** TensorFlow's mul_no_nan: a dy of 0 has its way. */
const noNan = (factor: number, dy: number): number => (dy === 0 ? 0 : factor * dy);

const unary: Record<string, { op: (x: TensorLike) => Tensor; dx: (x: number, dy: number) => number }> = {
  abs: { op: ops.abs, dx: (x, dy) => dy * sign(x) },
  neg: { op: ops.neg, dx: (_, dy) => -dy },
  square: { op: ops.square, dx: (x, dy) => dy * (2 * x) },
  sqrt: { op: ops.sqrt, dx: (x, dy) => noNan(0.5 / Math.sqrt(x), dy) },
  exp: { op: ops.exp, dx: (x, dy) => dy * Math.exp(x) },
  // dy (1 / x) there, which is infinite or NaN where x is subnormal.
  log: { op: ops.log, dx: (x, dy) => dy / x },
  // dy (x > 0) there, which is NaN for an infinite dy.
  relu: { op: ops.relu, dx: (x, dy) => (x > 0 ? dy : 0) },
  sigmoid: { op: ops.sigmoid, dx: (x, dy) => dy * (sigmoid(x) * (1 - sigmoid(x))) },
  tanh: { op: ops.tanh, dx: (x, dy) => dy * (1 - Math.tanh(x) ** 2) },
  identity: { op: ops.identity, dx: (_, dy) => dy },
  reshape: { op: (x) => ops.reshape(x, [-1]), dx: (_, dy) => dy },
  transpose: { op: (x) => ops.transpose(x), dx: (_, dy) => dy },
  'reduceSum of one': { op: (x) => ops.reduceSum(x, []), dx: (_, dy) => dy },
  'reduceMean of one': { op: (x) => ops.reduceMean(x, []), dx: (_, dy) => dy },
  reciprocal: { op: ops.reciprocal, dx: (x, dy) => noNan(-(1 / x) * (1 / x), dy) },
  expm1: { op: ops.expm1, dx: (x, dy) => dy * Math.exp(x) },
  // dy (1 / (1 + x)) there.
  log1p: { op: ops.log1p, dx: (x, dy) => dy / (1 + x) },
  sin: { op: ops.sin, dx: (x, dy) => dy * Math.cos(x) },
  cos: { op: ops.cos, dx: (x, dy) => -dy * Math.sin(x) },
  tan: { op: ops.tan, dx: (x, dy) => dy * (1 / Math.cos(x)) ** 2 },
  asin: { op: ops.asin, dx: (x, dy) => dy / Math.sqrt(1 - x * x) },
  acos: { op: ops.acos, dx: (x, dy) => -(dy / Math.sqrt(1 - x * x)) },
  atan: { op: ops.atan, dx: (x, dy) => dy / (1 + x * x) },
  sinh: { op: ops.sinh, dx: (x, dy) => dy * Math.cosh(x) },
  cosh: { op: ops.cosh, dx: (x, dy) => dy * Math.sinh(x) },
  elu: { op: ops.elu, dx: (x, dy) => (x < 0 ? dy * (Math.expm1(x) + 1) : dy) },
  softplus: { op: ops.softplus, dx: (x, dy) => dy * sigmoid(x) },
  softsign: { op: ops.softsign, dx: (x, dy) => dy / (1 + Math.abs(x)) ** 2 },
  relu6: { op: ops.relu6, dx: (x, dy) => (x > 0 && x < 6 ? dy : 0) },
  leakyRelu: { op: ops.leakyRelu, dx: (x, dy) => (x > 0 ? dy : 0.2 * dy) },
  sign: { op: ops.sign, dx: () => 0 },
};

type Both = (x: number, y: number, dz: number) => readonly [number, number];
const binary: Record<string, { op: (x: TensorLike, y: TensorLike) => Tensor; d: Both }> = {
  add: { op: ops.add, d: (_x, _y, dz) => [dz, dz] },
  sub: { op: ops.sub, d: (_x, _y, dz) => [dz, -dz] },
  mul: { op: ops.mul, d: (x, y, dz) => [dz * y, dz * x] },
  div: { op: ops.div, d: (x, y, dz) => [dz / y, dz * (-x / y / y)] },
  maximum: { op: ops.maximum, d: (x, y, dz) => (x >= y ? [dz, 0] : [0, dz]) },
  minimum: { op: ops.minimum, d: (x, y, dz) => (x <= y ? [dz, 0] : [0, dz]) },
  divNoNan: {
    op: ops.divNoNan,
    d: (x, y, dz) => (y === 0 ? [0, dz * 0] : [dz / y, dz * (-x / y / y)]),
  },
  // (2 dz) (x - y) there, which overflows first.
  squaredDifference: { op: ops.squaredDifference, d: (x, y, dz) => [dz * (2 * (x - y)), -(dz * (2 * (x - y)))] },
  mod: { op: ops.mod, d: (x, y, dz) => [dz, dz * -Math.floor(x / y)] },
};

function check(what: string, found: ArrayLike<number>, expected: readonly number[], at: (i: number) => string): void {
  expected.forEach((value, i) => {
    if (!same(found[i]!, value)) expect.fail(`${what} at ${at(i)} is ${found[i]}, expected ${value}`);
  });
}

describe('gradients at special values are those of TensorFlow', () => {
  for (const [name, { op, dx }] of Object.entries(unary)) {
    it(`of ${name}`, () => {
      const cases = points.flatMap((x) => incoming.map((dy) => [x, dy] as const));
      const x = tensor(Float64Array.from(cases, ([value]) => value));
      const [found] = gradients(() => op(x), [x], { gradYs: Float64Array.from(cases, ([, dy]) => dy) });
      check(
        'dx',
        denseOf(found),
        cases.map(([value, dy]) => dx(value, dy)),
        (i) => `x = ${cases[i]![0]}, dy = ${cases[i]![1]}`,
      );
    });
  }

  for (const [name, { op, d }] of Object.entries(binary)) {
    it(`of ${name}`, () => {
      const cases = points.flatMap((x) => points.flatMap((y) => incoming.map((dz) => [x, y, dz] as const)));
      const inputs = [0, 1].map((k) => tensor(Float64Array.from(cases, (one) => one[k]!)));
      const gradYs = Float64Array.from(cases, ([, , dz]) => dz);
      const found = gradients(() => op(inputs[0]!, inputs[1]!), inputs, { gradYs });
      const at = (i: number): string => `x = ${cases[i]![0]}, y = ${cases[i]![1]}, dz = ${cases[i]![2]}`;
      for (const k of [0, 1] as const) {
        check(`gradient ${k}`, denseOf(found[k]), cases.map((one) => d(...one)[k]), at); // prettier-ignore
      }
    });
  }

  it('of div: a huge gradient and an infinite divisor give 0', () => {
    const [x, y] = [tensor([2]), tensor([Infinity])];
    const [, dy] = gradients(() => ops.div(x, y), [x, y], { gradYs: Float32Array.of(3e38) });
    expect(Math.abs(denseOf(dy)[0]!)).to.equal(0);
  });
});

describe('gradients of rows at special values', () => {
  const logits = [[0, 1], [1e300, -1e300], [Infinity, 0], [-Infinity, 0], [NaN, 1], [-Infinity, -Infinity]]; // prettier-ignore
  const outer = [[1, 0], [0, 0], [1e300, -1e300], [Infinity, 1]]; // prettier-ignore
  const cases = logits.flatMap((row) => outer.map((dy) => [row, dy] as const));
  const softmaxOf = (row: readonly number[]): number[] => {
    const top = row.some((x) => x !== x) ? NaN : Math.max(...row);
    const e = row.map((x) => Math.exp(x - top));
    return e.map((value) => value / (e[0]! + e[1]!));
  };
  const run = (op: (x: Tensor) => Tensor): ArrayLike<number> => {
    const x = tensor(cases.map(([row]) => row), [cases.length, 2], 'float64'); // prettier-ignore
    const gradYs = tensor(cases.map(([, dy]) => dy), [cases.length, 2], 'float64'); // prettier-ignore
    return denseOf(gradients(() => op(x), [x], { gradYs })[0]);
  };
  const at = (i: number): string => `${JSON.stringify(cases[i >> 1])}`;

  it('of softmax: (dy - Σ dy y) y', () => {
    const expected = cases.flatMap(([row, dy]) => {
      const y = softmaxOf(row);
      const dot = dy[0]! * y[0]! + dy[1]! * y[1]!;
      return y.map((value, k) => (dy[k]! - dot) * value);
    });
    check(
      'dx',
      run((x) => ops.softmax(x)),
      expected,
      at,
    );
  });

  it('of logSoftmax: dy - softmax Σ dy', () => {
    const expected = cases.flatMap(([row, dy]) => {
      const y = softmaxOf(row);
      return y.map((value, k) => dy[k]! - (dy[0]! + dy[1]!) * value);
    });
    check(
      'dx',
      run((x) => ops.logSoftmax(x)),
      expected,
      at,
    );
  });
});
