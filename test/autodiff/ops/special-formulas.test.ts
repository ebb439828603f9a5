import { expect } from 'chai';
import fc from 'fast-check';
import { gradients, ops, tensor, type DType, type Tensor, type TensorLike } from 'gradstep';
import { denseOf } from '../../support/numeric-gradient';

// The gradients of TensorFlow's ops as it writes them (math_grad.py, nn_grad.py, cwise_ops_gradients.h), each operation rounded to the
// dtype, for any numbers: zeros, subnormal ones, infinities and NaN among them, and gradients of any size. Where ours has one
// rounding in place of two, or does not overflow in between, what it gives must be nearer to the formula in more digits. Where we
// differ on purpose, the formula here is ours, and says so.

type Round = (x: number) => number;

/** y is what the op gave. */
type Slope = (r: Round, at: { x: number; y: number; dy: number }) => number;

const sigmoid = (x: number): number => (x < 0 ? Math.exp(x) / (1 + Math.exp(x)) : 1 / (1 + Math.exp(-x)));
const sign = (x: number): number => (x > 0 ? 1 : x < 0 ? -1 : x);
/** TensorFlow's mul_no_nan. */
const noNan = (r: Round, factor: number, dy: number): number => (dy === 0 ? 0 : r(factor * dy));
const rootPi = Math.sqrt(Math.PI);
const [scale, scaleAlpha] = [1.0507009873554805, 1.0507009873554805 * 1.6732632423543772];

const unary: Record<string, { op: (x: TensorLike) => Tensor; dx: Slope }> = {
  abs: { op: ops.abs, dx: (r, { x, dy }) => r(dy * sign(x)) },
  neg: { op: ops.neg, dx: (_, { dy }) => -dy },
  square: { op: ops.square, dx: (r, { x, dy }) => r(dy * r(2 * x)) },
  sqrt: { op: ops.sqrt, dx: (r, { y, dy }) => noNan(r, r(0.5 / y), dy) },
  rsqrt: { op: ops.rsqrt, dx: (r, { y, dy }) => (dy === 0 ? 0 : r(r(-0.5 * r(dy * y)) * r(y * y))) },
  reciprocal: { op: ops.reciprocal, dx: (r, { y, dy }) => noNan(r, -r(y * y), dy) },
  exp: { op: ops.exp, dx: (r, { y, dy }) => r(dy * y) },
  expm1: { op: ops.expm1, dx: (r, { x, dy }) => r(dy * r(Math.exp(x))) },
  // dy (1 / x) there.
  log: { op: ops.log, dx: (r, { x, dy }) => r(dy / x) },
  log1p: { op: ops.log1p, dx: (r, { x, dy }) => r(dy / r(1 + x)) },
  // dy (x > 0) there, and the same of relu6.
  relu: { op: ops.relu, dx: (_, { x, dy }) => (x > 0 ? dy : 0) },
  relu6: { op: ops.relu6, dx: (_, { x, dy }) => (x > 0 && x < 6 ? dy : 0) },
  sigmoid: { op: ops.sigmoid, dx: (r, { y, dy }) => r(dy * r(y * r(1 - y))) },
  // 1 - y y there, of which little is left near 1: ours has one rounding.
  tanh: { op: ops.tanh, dx: (r, { y, dy }) => r(dy * r((1 - y) * (1 + y))) },
  sin: { op: ops.sin, dx: (r, { x, dy }) => r(dy * r(Math.cos(x))) },
  cos: { op: ops.cos, dx: (r, { x, dy }) => r(-dy * r(Math.sin(x))) },
  sinh: { op: ops.sinh, dx: (r, { x, dy }) => r(dy * r(Math.cosh(x))) },
  cosh: { op: ops.cosh, dx: (r, { x, dy }) => r(dy * r(Math.sinh(x))) },
  atan: { op: ops.atan, dx: (r, { x, dy }) => r(dy / r(1 + r(x * x))) },
  // dy 2 / √π first there, which overflows.
  erf: { op: ops.erf, dx: (r, { x, dy }) => r(dy * r(r(2 / rootPi) * r(Math.exp(-r(x * x))))) },
  erfc: { op: ops.erfc, dx: (r, { x, dy }) => r(dy * r(r(-2 / rootPi) * r(Math.exp(-r(x * x))))) },
  softplus: { op: ops.softplus, dx: (r, { x, dy }) => r(dy * r(sigmoid(x))) },
  logSigmoid: { op: ops.logSigmoid, dx: (r, { x, dy }) => r(dy * r(sigmoid(-x))) },
  softsign: { op: ops.softsign, dx: (r, { x, dy }) => r(dy / r(r(1 + Math.abs(x)) ** 2)) },
  elu: { op: ops.elu, dx: (r, { y, dy }) => (y < 0 ? r(dy * r(y + 1)) : dy) },
  selu: { op: ops.selu, dx: (r, { y, dy }) => (y < 0 ? r(dy * r(y + r(scaleAlpha))) : r(dy * r(scale))) },
  leakyRelu: { op: ops.leakyRelu, dx: (r, { x, dy }) => (x > 0 ? dy : r(r(0.2) * dy)) },
  // dy times a mask there, which is NaN for an infinite dy.
  clip: { op: (x) => ops.clip(x, -1, 2), dx: (_, { x, dy }) => (x >= -1 && x <= 2 ? dy : 0) },
  identity: { op: ops.identity, dx: (_, { dy }) => dy },
  sign: { op: ops.sign, dx: () => 0 },
  floor: { op: (x) => ops.add(x, ops.stopGradient(ops.floor(x))), dx: (_, { dy }) => dy },
};

type Both = (r: Round, at: { x: number; y: number; z: number; dz: number }) => readonly [number, number];

const binary: Record<string, { op: (x: TensorLike, y: TensorLike) => Tensor; d: Both }> = {
  add: { op: ops.add, d: (_, { dz }) => [dz, dz] },
  sub: { op: ops.sub, d: (_, { dz }) => [dz, -dz] },
  mul: { op: ops.mul, d: (r, { x, y, dz }) => [r(dz * y), r(dz * x)] },
  div: { op: ops.div, d: (r, { x, y, dz }) => [r(dz / y), r(dz * r(r(-x / y) / y))] },
  divNoNan: {
    op: ops.divNoNan,
    d: (r, { x, y, dz }) => (y === 0 ? [0, r(dz * 0)] : [r(dz / y), r(dz * r(r(-x / y) / y))]),
  },
  maximum: { op: ops.maximum, d: (_, { x, y, dz }) => (x >= y ? [dz, 0] : [0, dz]) },
  minimum: { op: ops.minimum, d: (_, { x, y, dz }) => (x <= y ? [dz, 0] : [0, dz]) },
  // (2 dz) (x - y) there, which overflows first.
  squaredDifference: {
    op: ops.squaredDifference,
    d: (r, { x, y, dz }) => [r(dz * r(2 * r(x - y))), -r(dz * r(2 * r(x - y)))],
  },
  atan2: {
    op: ops.atan2,
    d: (r, { x: b, y: a, dz }) => {
      const part = r(dz / r(r(a * a) + r(b * b)));
      return [r(a * part), -r(b * part)];
    },
  },
  // Where dz y is 0 that of x is 0 here, and that of y where x is not above 0.
  pow: {
    op: ops.pow,
    d: (r, { x, y, z, dz }) => [
      r(dz * y) === 0 ? 0 : r(r(dz * y) * r(power(x, r(y - 1)))),
      x > 0 ? r(r(dz * z) * r(Math.log(x))) : 0,
    ],
  },
  // What alpha gets where x is above 0 is dz 0 there.
  prelu: { op: ops.prelu, d: (r, { x, y, dz }) => [x > 0 ? dz : r(dz * y), x > 0 ? 0 : r(dz * x)] },
};

/** C's pow: JavaScript's gives NaN for 1 and an infinite exponent. */
const power = (x: number, y: number): number => (x === 1 || (x === -1 && Math.abs(y) === Infinity) ? 1 : x ** y);

const formats = {
  float32: { round: Math.fround, tolerance: 1e-6, least: 2 ** -146, most: 3.4e38 },
  float64: { round: (x: number) => x, tolerance: 1e-14, least: 2 ** -1070, most: 1.79e308 },
} as const;

/** Equal but for a few roundings, of a number that may be just beyond what the dtype holds. */
function near(dtype: DType, a: number, b: number): boolean {
  const { tolerance, least, most } = formats[dtype];
  if (Object.is(a, b) || a === b) return true;
  if (Math.abs(a) >= most && Math.abs(b) >= most) return Math.sign(a) === Math.sign(b);
  return Math.abs(a - b) <= Math.max(tolerance * Math.abs(b), least);
}

const special = [0, -0, 1, -1, -2, 0.5, 1e-310, -1e-310, 1e-40, 1e200, -1e200, 1e38, -3e38, 1e-200, 1e-30, 1.7e308, Infinity, -Infinity, NaN]; // prettier-ignore

function numbers(dtype: DType): fc.Arbitrary<number> {
  const { round } = formats[dtype];
  const any = dtype === 'float32' ? fc.float() : fc.double();
  return fc.oneof(any, fc.constantFrom(...special).map(round), fc.double({ min: -8, max: 8, noNaN: true }).map(round));
}

/** Whether a gradient is what the formula gives, or nearer to what it gives in more digits. */
function isRight(dtype: DType, found: number, formula: (r: Round) => number): boolean {
  if (near(dtype, found, formula(formats[dtype].round))) return true;
  return dtype === 'float32' && near(dtype, found, Math.fround(formula((x) => x)));
}

const inTensor = (values: readonly number[], dtype: DType): Tensor => tensor(values, [values.length], dtype);

for (const dtype of ['float32', 'float64'] as const) {
  describe(`the gradient in ${dtype}, for any numbers, is TensorFlow's formula`, () => {
    for (const [name, { op, dx }] of Object.entries(unary)) {
      it(`of ${name}`, () => {
        fc.assert(
          fc.property(fc.array(fc.tuple(numbers(dtype), numbers(dtype)), { minLength: 1, maxLength: 40 }), (cases) => {
            const x = inTensor(cases.map(([value]) => value), dtype); // prettier-ignore
            const gradYs = inTensor(cases.map(([, dy]) => dy), dtype); // prettier-ignore
            const [y, found] = [op(x).data, denseOf(gradients(() => op(x), [x], { gradYs })[0])];
            cases.forEach(([value, dy], i) => {
              const of = (r: Round): number => dx(r, { x: value, y: y[i]!, dy });
              if (isRight(dtype, found[i]!, of)) return;
              expect.fail(`dx of ${value} for ${dy} is ${found[i]}, expected ${of(formats[dtype].round)}`);
            });
          }),
        );
      });
    }

    for (const [name, { op, d }] of Object.entries(binary)) {
      it(`of ${name}`, () => {
        const triple = fc.tuple(numbers(dtype), numbers(dtype), numbers(dtype));
        fc.assert(
          fc.property(fc.array(triple, { minLength: 1, maxLength: 40 }), (cases) => {
            const [x, y, gradYs] = [0, 1, 2].map((k) => inTensor(cases.map((one) => one[k]!), dtype)) as [Tensor, Tensor, Tensor]; // prettier-ignore
            const z = op(x, y).data;
            const found = gradients(() => op(x, y), [x, y], { gradYs }).map(denseOf);
            cases.forEach(([a, b, dz], i) => {
              for (const k of [0, 1] as const) {
                const of = (r: Round): number => d(r, { x: a, y: b, z: z[i]!, dz })[k];
                if (isRight(dtype, found[k]![i]!, of)) continue;
                expect.fail(`gradient ${k} at ${a}, ${b} for ${dz} is ${found[k]![i]}, expected ${of(formats[dtype].round)}`); // prettier-ignore
              }
            });
          }),
        );
      });
    }
  });
}

describe("the gradient of rows, for any numbers, is TensorFlow's formula", () => {
  type Row = readonly [number, number];
  const few = [0, 1, -1, 700, -700, 1e300, -1e300, Infinity, -Infinity, NaN];
  const rows = few.flatMap((a) => few.flatMap((b) => [0, 1, -3, 1e300, Infinity, NaN].map((dy) => [[a, b] as Row, dy] as const))); // prettier-ignore
  const labels: Row = [0.25, 0.75];
  const other = (k: number): number => 1 - k;

  const exponentials = ([a, b]: Row, shiftOf: (top: number) => number): Row => {
    const shift = shiftOf(Math.max(a, b));
    return [Math.exp(a - shift), Math.exp(b - shift)];
  };
  const softmaxOf = (row: Row): Row => {
    const [a, b] = exponentials(row, (top) => top);
    return [a / (a + b), b / (a + b)];
  };
  /** Which of the two is it: NaN is nothing's equal. */
  const shareOf = (row: Row, k: number, best: number): number => {
    const isIt = row.map((x) => (x === best ? 1 : 0));
    return isIt[k]! / (isIt[0]! + isIt[1]!);
  };
  const bestOf = (row: Row, pick: (a: number, b: number) => number): number => pick(row[0], row[1]);

  const formulas: Record<string, { op: (x: Tensor) => Tensor; dx: (row: Row, k: number, dy: number) => number }> = {
    reduceMax: { op: (x) => ops.reduceMax(x, 1), dx: (row, k, dy) => shareOf(row, k, bestOf(row, Math.max)) * dy },
    reduceMin: { op: (x) => ops.reduceMin(x, 1), dx: (row, k, dy) => shareOf(row, k, bestOf(row, Math.min)) * dy },
    reduceProd: { op: (x) => ops.reduceProd(x, 1), dx: (row, k, dy) => dy * row[other(k)]! },
    reduceSum: { op: (x) => ops.reduceSum(x, 1), dx: (_row, _k, dy) => dy },
    reduceMean: { op: (x) => ops.reduceMean(x, 1), dx: (_row, _k, dy) => dy / 2 },
    reduceLogSumExp: {
      op: (x) => ops.reduceLogSumExp(x, 1),
      // Shifted by 0 there if the greatest is infinite, which makes NaN of another that is large.
      dx: (row, k, dy) => {
        const most = Number.MAX_VALUE;
        const e = exponentials(row, (top) => Math.max(-most, Math.min(most, top)));
        return dy * (1 / (e[0] + e[1])) * e[k]!;
      },
    },
    softmaxCrossEntropyWithLogits: {
      op: (x) => ops.softmaxCrossEntropyWithLogits(ops.mul(ops.onesLike(x), Float64Array.from(labels)), x),
      dx: (row, k, dy) => dy * (softmaxOf(row)[k]! - labels[k]!),
    },
    sparseSoftmaxCrossEntropyWithLogits: {
      op: (x) => ops.sparseSoftmaxCrossEntropyWithLogits(new Int32Array(x.shape[0]!).fill(1), x),
      dx: (row, k, dy) => dy * (softmaxOf(row)[k]! - k),
    },
  };

  for (const [name, { op, dx }] of Object.entries(formulas)) {
    it(`of ${name}`, () => {
      const x = tensor(rows.map(([row]) => [...row]), [rows.length, 2], 'float64'); // prettier-ignore
      const gradYs = inTensor(rows.map(([, dy]) => dy), 'float64'); // prettier-ignore
      const found = denseOf(gradients(() => op(x), [x], { gradYs })[0]);
      rows.forEach(([row, dy], i) => {
        for (const k of [0, 1]) {
          const expected = dx(row, k, dy);
          if (near('float64', found[2 * i + k]!, expected)) continue;
          expect.fail(`dx[${k}] of ${String(row)} for ${dy} is ${found[2 * i + k]}, expected ${expected}`);
        }
      });
    });
  }
});
